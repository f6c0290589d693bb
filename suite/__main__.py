"""`python -m suite` is the console script."""

from suite.cli import main

if __name__ == "__main__":
    main()
