def main():
    run(1)


def theirs(): ...


if __name__ == "__main__":
    main()
