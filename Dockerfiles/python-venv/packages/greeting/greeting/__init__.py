"""What the application needs besides the standard library."""


def greet(name: str) -> str:
    return f"Hello, {name}!"
