"""`python -m etl` is `shafaf`."""

from etl.cli import main

if __name__ == "__main__":
    main()
