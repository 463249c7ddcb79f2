"""The catalogue as plain Python over a whole history of lines and decisions: slow, without code of the product, and recomputed after every step.

It knows goods by number: SKUs of one good share their text and so their product key. Groups are sets of SKUs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Sku = tuple[str, str]
Group = frozenset[Sku]


@dataclass(frozen=True)
class Good:
    """What the lines of a SKU say: grams (None: no size is given), and whose own label it is. Texts of one ``kind`` likely name one good."""

    name: str
    brand: str | None
    grams: int | None
    own_label_of: str | None = None
    kind: str | None = None


@dataclass
class Decision:
    """A decision in force: what claims it saw, and whether the conflict was opened again."""

    choice: str
    saw: frozenset[tuple[Sku, str]]
    is_open: bool = False


@dataclass
class PlainCatalogue:
    """Every line so far as (hour, SKU, barcodes), the decisions in force by claim, and what follows from both."""

    goods: dict[Sku, Good]
    lines: list[tuple[int, Sku, tuple[str, ...]]] = field(default_factory=list)
    decisions: dict[tuple[Sku, str], Decision] = field(default_factory=dict)
    groups: set[Group] = field(default_factory=set)
    refusals: dict[tuple[Sku, str], str | None] = field(default_factory=dict)

    def meet(self, hour: int, lines: dict[Sku, tuple[str, ...]]) -> None:
        """Take in lines of one hour."""
        self.lines += [(hour, sku, gtins) for sku, gtins in lines.items()]
        self._step(set())

    def decide(self, sku: Sku, gtin: str, choice: str) -> bool:
        """Decide about a claim; False: there is a decision, or nothing to decide."""
        before = self.decisions.get((sku, gtin))
        if (before is not None and not before.is_open) or (before is None and self.refusals.get((sku, gtin)) is None):
            return False
        self.decisions[sku, gtin] = Decision(choice, self._near(sku, gtin))
        self._step({gtin})
        return True

    def undo(self, sku: Sku, gtin: str) -> None:
        """End a decision."""
        del self.decisions[sku, gtin]
        self._step(set())

    def product_of(self, sku: Sku) -> Group:
        """Return the group of a SKU."""
        return next(group for group in self.groups if sku in group)

    def owners(self) -> dict[str, Group]:
        """Return the group that has each barcode."""
        return {gtin: self.product_of(sku) for (sku, gtin), reason in self.refusals.items() if reason is None}

    def conflicts(self) -> set[tuple[Sku, str, str | None, str | None, bool]]:
        """Return (SKU, barcode, reason, choice, is open) of every conflict."""
        settled = {key: made.choice for key, made in self.decisions.items() if not made.is_open}
        given = {gtin for (_, gtin), choice in settled.items() if choice == "accept"}
        apart = {sku for (sku, _), choice in settled.items() if choice == "split"}
        found: set[tuple[Sku, str, str | None, str | None, bool]] = set()
        for (sku, gtin), reason in self.refusals.items():
            made = self.decisions.get((sku, gtin))
            if made is not None:
                found.add((sku, gtin, reason, made.choice, made.is_open))
            elif reason is not None:
                found.add((sku, gtin, reason, None, gtin not in given and sku not in apart and reason != "two_products"))
        return found

    def _step(self, decided: set[str]) -> None:
        before = self.groups
        known = frozenset().union(*before) if before else frozenset()
        self._group()
        for (sku, gtin), made in self.decisions.items():
            if gtin in decided or made.is_open:
                continue
            sides = {self.product_of(sku)} | {group for code, group in self.owners().items() if code == gtin}
            made.is_open = self._near(sku, gtin) != made.saw or any(side & known not in before for side in sides if side & known)

    def _near(self, sku: Sku, gtin: str) -> frozenset[tuple[Sku, str]]:
        return frozenset((one, code) for one, code in self._first_seen() if code == gtin or one == sku)

    def _first_seen(self) -> dict[tuple[Sku, str], int]:
        found: dict[tuple[Sku, str], int] = {}
        for hour, sku, gtins in self.lines:
            for gtin in gtins:
                found[sku, gtin] = min(hour, found.get((sku, gtin), hour))
        return found

    def _beside(self, sku: Sku, gtin: str) -> set[str]:
        """Return the barcodes that lines of a SKU show beside one, directly or through others."""
        found = {gtin}
        for _ in self.lines:
            for _, one, gtins in self.lines:
                if one == sku and found & set(gtins):
                    found |= set(gtins)
        return found

    def _group(self) -> None:
        seen = {sku: min(hour for hour, one, _ in self.lines if one == sku) for _, sku, _ in self.lines}
        apart = {sku for (sku, _), made in self.decisions.items() if made.choice == "split"}
        group_of: dict[Sku, set[Sku]] = {sku: {sku} for sku in seen}
        has: dict[str, Sku] = {}
        self.refusals = {}

        def join(left: Sku, right: Sku) -> None:
            merged = group_of[left] | group_of[right]
            for sku in merged:
                group_of[sku] = merged

        def turn(item: tuple[tuple[Sku, str], int]) -> tuple[int, int, Sku, str]:
            (sku, gtin), hour = item
            choice = self.decisions[sku, gtin].choice if (sku, gtin) in self.decisions else None
            return (0 if choice == "accept" else 2 if sku in apart and choice != "split" else 1, hour, sku, gtin)

        own: dict[Sku, str] = {}
        accepted = {sku for (sku, _), made in self.decisions.items() if made.choice == "accept"}

        def shown_by_others(sku: Sku) -> bool:
            return any(reason is None and one != sku and one in group_of[sku] for (one, _), reason in self.refusals.items())

        def take(sku: Sku, gtin: str) -> None:
            choice = self.decisions[sku, gtin].choice if (sku, gtin) in self.decisions else None
            owner = has.get(gtin)
            is_mine = owner is not None and owner in group_of[sku]
            reason = None
            if choice == "reject":
                reason = "rejected"
            elif choice != "accept":
                if self._is_placeholder(gtin):
                    reason = "many_goods"
                elif not is_mine and sku in own and gtin not in self._beside(sku, own[sku]):
                    reason = "other_barcode"
                elif not is_mine and owner is not None:
                    reason = self._veto(group_of[sku], group_of[owner], apart)
                    if reason is None and sku in own and sku not in accepted and shown_by_others(sku):
                        reason = "two_products"
                if reason is None:
                    own.setdefault(sku, gtin)
            self.refusals[sku, gtin] = reason
            if reason is None:
                if owner is not None:
                    join(sku, owner)
                has[gtin] = sku

        def others_of(sku: Sku, gtin: str) -> bool:
            return any(code != gtin and owner in group_of[sku] for code, owner in has.items())

        def review() -> None:
            for (sku, gtin), reason in self.refusals.items():
                if reason not in (None, "rejected") and gtin in has and has[gtin] in group_of[sku]:
                    self.refusals[sku, gtin] = None

        late: list[tuple[Sku, str]] = []
        fixed = {sku for (sku, _), made in self.decisions.items() if made.choice in ("accept", "split")}
        for (sku, gtin), hour in sorted(self._first_seen().items(), key=turn):
            is_free = sku not in own and sku not in fixed and (sku, gtin) not in self.decisions and not self._is_placeholder(gtin)
            peers = [other for other in seen if self.goods[other] == self.goods[sku]]
            if is_free and hour > seen[sku] and any(others_of(peer, gtin) for peer in peers) and not self._is_confirmed(sku, gtin):
                late.append((sku, gtin))
            else:
                take(sku, gtin)
        review()
        self._join_by_text(seen, group_of, has, apart, join)
        for sku, gtin in late:
            if sku not in own and others_of(sku, gtin) and has.get(gtin) not in group_of[sku]:
                self.refusals[sku, gtin] = "product_barcode"
            else:
                take(sku, gtin)
        review()
        self.groups = {frozenset(group) for group in group_of.values()}

    def _is_confirmed(self, sku: Sku, gtin: str) -> bool:
        """Whether another retailer shows the barcode for what likely is the same good."""
        good = self.goods[sku]
        for other, code in self._first_seen():
            alike = self.goods[other] == good or (good.kind is not None and self.goods[other].kind == good.kind)
            rejected = (other, code) in self.decisions and self.decisions[other, code].choice == "reject"
            if code == gtin and other[0] != sku[0] and alike and not rejected:
                return True
        return False

    def _join_by_text(self, seen, group_of, has, apart, join) -> None:
        met: list[Sku] = []
        for sku in sorted(seen, key=lambda one: (seen[one], one)):
            mine = group_of[sku]
            others = []
            for other in met:
                if self.goods[other] == self.goods[sku] and group_of[other] not in others:
                    others.append(group_of[other])
            if mine & apart or mine in others:
                continue
            met.append(sku)
            others = [other for other in others if self._veto(mine, other, apart) != "own_label"]
            if len(others) != 1:
                continue
            (other,) = others
            both_have = all(any(owner in group for owner in has.values()) for group in (mine, other))
            texts = [
                {retailer: {self.goods[one] for one in group if one[0] == retailer} for retailer, _ in group} for group in (mine, other)
            ]
            differs = any(texts[0][retailer] != texts[1][retailer] for retailer in texts[0].keys() & texts[1].keys())
            if not both_have and not differs and self._veto(mine, other, apart) is None:
                join(sku, next(iter(other)))

    def _veto(self, left: set[Sku], right: set[Sku], apart: set[Sku]) -> str | None:
        if (left | right) & apart:
            return "split"
        for one, other in ((left, right), (right, left)):
            for sku in one:
                label = self.goods[sku].own_label_of
                if label is not None and any(retailer != label for retailer, _ in other):
                    return "own_label"
        grams = [value for sku in left | right if (value := self.goods[sku].grams) is not None]
        return "size" if grams and max(grams) - min(grams) > max(grams) / 100 and self._both_sized(left, right) else None

    def _both_sized(self, left: set[Sku], right: set[Sku]) -> bool:
        return all(any(self.goods[sku].grams is not None for sku in group) for group in (left, right))

    def _is_placeholder(self, gtin: str) -> bool:
        claimants = {sku for sku, code in self._first_seen() if code == gtin}
        return any(len({self.goods[sku] for sku in claimants if sku[0] == retailer}) > 3 for retailer, _ in claimants)
