"""``nasablate dashboard``: the studies of a database in the browser."""

import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, StorageOption
from nasablate.cli.reading import read_database
from nasablate.errors import InputError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

DEFAULT_PORT = 8080
EXAMPLES = """\
  nasablate dashboard
  nasablate dashboard --port 9000 --no-browser"""


def command(
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help=f"Port; without it {DEFAULT_PORT}, or a free one if that is taken.",
            show_default=False,
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
) -> None:
    """Open the studies in the browser.

    Serves optuna-dashboard to this machine only, until Ctrl-C. Notes and figures of studies that
    do not run now are brought up to date.
    """
    with read_database(storage) as database:
        names = [study.name for study in database.studies()]

    from nasablate.cli.desk import refresh_resting
    from nasablate.cli.localhost import ADDRESS, local_server

    try:
        server = local_server(
            lambda: _application(storage), port or DEFAULT_PORT, or_any=port is None
        )
    except OSError as error:
        message = f"port {port} of {ADDRESS} cannot be used ({error.strerror}); try another --port"
        raise InputError(message) from None
    url = f"http://{ADDRESS}:{server.server_port}/"
    typer.echo(url)
    typer.echo("Press Ctrl-C to stop.", err=True)
    if not no_browser and _has_browser():
        webbrowser.open(url)
    threading.Thread(target=refresh_resting, args=(storage, names), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
    finally:
        server.server_close()


def _application(storage: str) -> "WSGIApplication":
    import optuna_dashboard  # pyright: ignore[reportMissingTypeStubs]
    from optuna.artifacts import FileSystemArtifactStore

    from nasablate.store import study_folder
    from nasablate.store.artifacts import ARTIFACTS_FOLDER

    folder = study_folder(storage, ARTIFACTS_FOLDER)
    files = FileSystemArtifactStore(folder) if folder.is_dir() else None
    return optuna_dashboard.wsgi(storage, artifact_store=files)  # pyright: ignore[reportUnknownMemberType]


def _has_browser() -> bool:
    """Whether a browser with a window can be opened; one in the terminal would take it over."""
    on_linux = sys.platform.startswith("linux")
    if on_linux and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
