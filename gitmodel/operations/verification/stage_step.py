"""A step that moves pins: each with the one transition that accounts for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import Pin
from gitmodel.domain.quorum import shortfall
from gitmodel.domain.transition import Transition
from gitmodel.errors import GitmodelError
from gitmodel.formats import schema
from gitmodel.operations.verification.documents import read_plain
from gitmodel.operations.verification.forge_step import judge_reviewed
from gitmodel.operations.verification.gates_step import judge_gates
from gitmodel.operations.verification.quarantines import judge_target
from gitmodel.operations.verification.seals import added_record
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.ledger import Chain, Ledger
    from gitmodel.registry.policies import Edition
    from gitmodel.registry.records import Record
    from gitmodel.registry.steps import Step


def judge_moves(
    ledger: Ledger, edition: Edition, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every pin and every transition that a step touched."""
    moved = dict.fromkeys(
        (place.stage, place.model)
        for place in places.values()
        if place.kind in {"pin", "transition"}
    )
    for stage, model in moved:
        _Move(ledger, edition, step, stage, model).judge(places)


class _Move:
    """One pin in one step; reports under the step's commit."""

    def __init__(
        self, ledger: Ledger, edition: Edition, step: Step, stage: str, model: str
    ) -> None:
        self.ledger = ledger
        self.edition = edition
        self.step = step
        self.stage = stage
        self.model = model
        self.pin_path = layout.pin_path(stage, model)
        self.chain: Chain = ledger.chain(stage, model)

    def judge(self, places: Mapping[str, layout.Place]) -> None:
        """Judge the transitions, then whether they account for the pin."""
        numbers = sorted(
            place.seq
            for place in places.values()
            if place.kind == "transition"
            and (place.stage, place.model) == (self.stage, self.model)
        )
        if len(numbers) > 1:
            self._add(
                "E_TRANSITION_SEQ",
                "one commit moves the pin more than once.",
                layout.transition_path(self.stage, self.model, numbers[-1]),
            )
        for number in numbers:
            self.ledger.findings.transitions += 1
            self._judge_transition(number)
        if (self.pin_path in places) != bool(numbers):
            self._add(
                "E_TRANSITION_UNRECORDED",
                "pin and log must move together, in one commit.",
                self.pin_path,
            )
        if self.pin_path in places:
            self._judge_pin()

    def _add(self, code: str, message: str, path: str) -> None:
        self.ledger.findings.add(code, message, path, self.step.commit)

    def _judge_transition(self, number: int) -> None:
        path = layout.transition_path(self.stage, self.model, number)
        record = added_record(
            self.ledger, self.step, path, "transition", (self.edition,)
        )
        if record is None:
            return
        problems = schema.problems("Transition", record.document, path)
        self.ledger.findings.problems.extend(problems)
        if problems:
            return
        transition = Transition.from_document(record.document)
        self._judge_place(transition, number, path)
        self._judge_signers(transition, record)
        self._judge_target(transition, path)
        self.chain.extend(transition, record.digest)

    def _judge_place(self, transition: Transition, number: int, path: str) -> None:
        if (transition.stage, transition.model) != (self.stage, self.model):
            self._add(
                "E_TRANSITION_PATH",
                f"it is of {transition.model} in {transition.stage}.",
                path,
            )
        expected = len(self.chain.transitions) + 1
        if (transition.seq, number) != (expected, expected):
            self._add("E_TRANSITION_SEQ", f"the next is transition {expected}.", path)
        if transition.prior != self.chain.last:
            self._add("E_TRANSITION_PRIOR", "it does not follow the one before.", path)
        if transition.origin != self.chain.current:
            message = "it starts from what the stage did not hold."
            self._add("E_TRANSITION_PRIOR", message, path)
        if transition.policy != self.edition.digest:
            self._add(
                "E_OTHER_POLICY", "it was made under a policy not in force.", path
            )

    def _judge_signers(self, transition: Transition, record: Record) -> None:
        rules = self.edition.policy.rules_for(self.stage, self.model)
        if rules is None:
            self._add(
                "E_STAGE", f"the policy knows no stage {self.stage}.", record.path
            )
            return
        role = rules.requester_role(transition.move)
        if record.seals and transition.requester not in record.sealed_by(role):
            self._add(
                "E_UNSIGNED",
                f"its requester {transition.requester} has not signed it as {role}.",
                record.path,
            )
        heard = judge_reviewed(self.ledger, self.edition, self.step, transition, record)
        judges = rules.judging_roles(transition.move)
        if rejectors := (*record.rejected_by(*judges), *heard.refused(record)):
            self._add("E_REJECTED", f"{', '.join(rejectors)} rejected it.", record.path)
        for lacking in shortfall(
            rules.quorums(transition.move),
            (*record.voices(), *heard.voices),
            requester=transition.requester,
        ):
            self._add("E_THRESHOLD", f"{self.stage} asks for {lacking}.", record.path)

    def _judge_target(self, transition: Transition, path: str) -> None:
        target = transition.target
        if target is None:
            if transition.action == "rollback":
                # To empty a stage is no rollback, and asks for other approvals.
                self._add(
                    "E_ROLLBACK_TO_NEVER_PROMOTED", "it goes back to nothing.", path
                )
            return
        known = self.ledger.manifest(self.model, target.version)
        if known != target.manifest:
            self._add(
                "E_MANIFEST_DIGEST",
                f"{self.model}@{target.version} is no version with that manifest.",
                path,
            )
        judge_target(self.ledger, self.step, path, self.model, target.version)
        if transition.action == "rollback":
            if target.manifest not in self.chain.lived:
                self._add(
                    "E_ROLLBACK_TO_NEVER_PROMOTED",
                    "it goes back to what was never live in this stage.",
                    path,
                )
            return
        if held_by := self.chain.holds.on(target.manifest, self.chain.released):
            self._add("E_HELD", f"rollback {held_by.seq} holds that version.", path)
        rules = self.edition.policy.rules_for(self.stage, self.model)
        if rules is not None and rules.source is not None:
            source = self.ledger.chain(rules.source, self.model)
            if target.manifest not in source.lived:
                self._add("E_GATE", f"it has not been in {rules.source} before.", path)
        if rules is not None and (rules.gates or rules.freeze):
            judge_gates(self.ledger, rules, transition, self.step.commit)

    def _judge_pin(self) -> None:
        data = self.step.blobs.get(self.pin_path)
        if (Digest.of(data) if data is not None else None) != self.chain.pin:
            self._add(
                "E_TRANSITION_UNRECORDED",
                "the pin is not what the newest transition recorded.",
                self.pin_path,
            )
        if data is None:
            return
        try:
            document = read_plain(data, self.pin_path, "ModelPin")
        except GitmodelError as error:
            self.ledger.findings.add_error(error, self.pin_path, self.step.commit)
            return
        pin = Pin.from_document(document)
        found = (pin.stage, pin.model, pin.release)
        expected = (self.stage, self.model, self.chain.current)
        # A pin says nothing besides, such as a canary: nobody would have judged it.
        if found != expected or pin.to_document() != document:
            self._add(
                "E_PIN_MISMATCH", "it does not hold what the log says.", self.pin_path
            )
