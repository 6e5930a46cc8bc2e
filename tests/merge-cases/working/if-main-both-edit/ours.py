def main():
    run()


def mine(): ...


if __name__ == "__main__":
    main()
