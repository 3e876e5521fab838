"""How a process of the desk starts."""

import gc


def test_the_garbage_collector_runs_again_and_passes_over_what_the_start_has_made():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
