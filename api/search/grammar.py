"""Parser of small languages, with errors that say what could stand at a position."""

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from scheduling.errors import Invalid

MOST_PARTS = 150
MOST_BRACKETS = 30


class Grammar:
    """The rules of a language; `terminals` describes each of its terminals for people."""

    def __init__(self, rules: str, terminals: dict[str, str]) -> None:
        self._lark = Lark(rules, parser="lalr", propagate_positions=True)
        self._terminals = terminals

    def read(self, text: str) -> "Tree[Token]":
        """Parse a text that is not too long. Raises Invalid with the position and what could stand there."""
        if text.count("(") + text.count("[") > MOST_BRACKETS:
            raise Invalid(f"It has more than {MOST_BRACKETS} brackets.")
        try:
            tree: Tree[Token] = self._lark.parse(text)
        except UnexpectedInput as error:
            raise self._refused(text, error) from None
        if sum(1 for _ in tree.scan_values(lambda _: True)) > MOST_PARTS:
            raise Invalid(f"It has more than {MOST_PARTS} parts.")
        return tree

    def _refused(self, text: str, error: UnexpectedInput) -> Invalid:
        expected = error.accepts if isinstance(error, UnexpectedToken) else getattr(error, "allowed", ())
        right = ", ".join(description for name, description in self._terminals.items() if name in expected) or "the end"
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            return Invalid(f"It ends too early: there should be {right}.")
        place = error.pos_in_stream or 0
        return Misplaced(place, f"{text[place:].split(maxsplit=1)[0][:40]!r} cannot stand there, but {right}.")


class Misplaced(Invalid):
    """The text has something that cannot stand at this position."""

    def __init__(self, place: int, text: str) -> None:
        super().__init__(f"At character {place + 1}: {text}")
