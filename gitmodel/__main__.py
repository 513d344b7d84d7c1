"""``python -m gitmodel`` is the ``gitmodel`` command."""

from gitmodel.cli.main import main

if __name__ == "__main__":
    main()
