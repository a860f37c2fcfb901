"""How fast the simulated market lives: the step of all processes and how often a price moves."""

MINUTE_MS = 60_000
STEP_MS = 100
STEPS_PER_MINUTE = MINUTE_MS // STEP_MS
STEPS_PER_DAY = 24 * 60 * STEPS_PER_MINUTE
MOVES_PER_STEP = 0.02
PPM = 1_000_000
