"""When a control closes: the slowest who may still pass, after the last start (rulebook 4.3)."""

SLOWEST_KMH = 25.0  # of SERRES; an event may say otherwise


def closing_ms(last_start_ms: int, metres: float, slowest_kmh: float = SLOWEST_KMH, margin_ms: int = 0) -> int:
    """The last start, and the time to the control at the slowest speed, and a margin. Epoch ms, whole seconds up.

    Raises ValueError for a speed that is not above 0.
    """
    if slowest_kmh <= 0:
        raise ValueError(f"slowest speed: {slowest_kmh:g} km/h is not above 0")
    driving_ms = metres * 3600 / slowest_kmh
    return last_start_ms + -int(-driving_ms // 1000) * 1000 + margin_ms
