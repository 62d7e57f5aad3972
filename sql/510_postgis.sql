-- Geometry columns on the course tables, for GIS tools alone: TRM itself never reads them.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis') THEN
        RETURN;
    END IF;

    -- Null instead of an error: PostGIS must not refuse a row that TRM accepts. The search path is kept,
    -- because a restored dump fills the columns under an empty one.
    CREATE OR REPLACE FUNCTION trm_geometry(geojson jsonb) RETURNS geometry
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $function$
    BEGIN
        RETURN ST_SetSRID(ST_GeomFromGeoJSON(geojson::text), 4326);
    EXCEPTION WHEN OTHERS THEN
        RETURN NULL;
    END
    $function$;

    ALTER TABLE geofences ADD COLUMN IF NOT EXISTS geom geometry(Geometry, 4326)
        GENERATED ALWAYS AS (trm_geometry(geometry)) STORED;
    ALTER TABLE waypoints ADD COLUMN IF NOT EXISTS geom geometry(Point, 4326)
        GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)) STORED;
    ALTER TABLE speed_limit_zones ADD COLUMN IF NOT EXISTS geom geometry(Geometry, 4326)
        GENERATED ALWAYS AS (trm_geometry(geometry)) STORED;

    CREATE INDEX IF NOT EXISTS geofences_geom ON geofences USING gist (geom);
    CREATE INDEX IF NOT EXISTS waypoints_geom ON waypoints USING gist (geom);
    CREATE INDEX IF NOT EXISTS speed_limit_zones_geom ON speed_limit_zones USING gist (geom);
END
$$;
