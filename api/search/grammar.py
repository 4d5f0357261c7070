"""What is written in a language of its own, and what is said where it cannot be read."""

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from scheduling.errors import Invalid

MOST_PARTS = 150
MOST_BRACKETS = 30


class Grammar:
    """The rules of a language; `terminals` says in words what each of its terminals is."""

    def __init__(self, rules: str, terminals: dict[str, str]) -> None:
        self._lark = Lark(rules, parser="lalr", propagate_positions=True)
        self._terminals = terminals

    def read(self, text: str) -> "Tree[Token]":
        """Raises Invalid, with the place and what could stand there; also for what is too long to be answered."""
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
        wanted = error.accepts if isinstance(error, UnexpectedToken) else getattr(error, "allowed", ())
        right = ", ".join(said for name, said in self._terminals.items() if name in wanted) or "the end"
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            return Invalid(f"It ends too early: there should be {right}.")
        place = error.pos_in_stream or 0
        return Misplaced(place, f"{text[place:].split(maxsplit=1)[0][:40]!r} cannot stand there, but {right}.")


class Misplaced(Invalid):
    """What cannot be at this place of a text."""

    def __init__(self, place: int, text: str) -> None:
        super().__init__(f"At character {place + 1}: {text}")
