"""`python -m bench` is `salon`."""

from bench.cli import main

if __name__ == "__main__":
    main()
