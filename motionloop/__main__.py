"""`python -m motionloop` is the `motionloop` command."""

from motionloop.cli import main

if __name__ == "__main__":
    main()
