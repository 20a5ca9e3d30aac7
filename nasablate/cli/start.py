"""Where the command begins, so that Ctrl-C while it still loads ends it without a traceback."""

import signal


def main() -> None:
    """Load the command line and run it; until it is loaded, SIGINT ends the process at once."""
    before = signal.getsignal(signal.SIGINT)
    loading = before is signal.default_int_handler  # and not ignored, as behind nohup
    if loading:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nasablate.cli.main import main as run

    if loading:
        signal.signal(signal.SIGINT, before)
    run()
