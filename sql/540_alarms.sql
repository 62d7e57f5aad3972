-- The last panic fix of each device (apps/live/state_queries.py), among millions that are none.
CREATE INDEX IF NOT EXISTS positions_alarms ON positions (device_id, ts DESC) WHERE priority = 2 AND NOT faulty;
