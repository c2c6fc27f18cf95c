def numbers(path):
    for number, line in enumerate(path.read_text().split(), 1):
        yield number, float(line)
