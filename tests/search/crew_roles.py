"""What the members of a crew do in tests; spawned processes import it."""

import os

from nasablate.cli.main import main
from nasablate.search.crew import serve_jobs


def double_or_die(connection, deadly):
    def answer(job):
        if job == deadly:
            os._exit(1)
        return 2 * job

    serve_jobs(connection, answer)


def own_process(connection):
    serve_jobs(connection, lambda _job: os.getpid())


if __name__ == "__main__":
    main()
