"""The engine both runners call: what to train next, whether to go on, and what it came to.

The database is the only truth. A driver that starts reads it, takes up every trial that was
left running or waiting (same number, same folder, so the training goes on from its
checkpoint), and then proposes new ones until the budget of trials is spent. Everything it
decides is a function of stored rows; its memory is a cache of them.

Runners call `next_job` for work, `report` after every epoch, and exactly one of `finish` and
`lost` at the end. Calls about an attempt that is not the present one change nothing.
"""

import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nasablate.errors import RunError
from nasablate.genome.space import MEASURED_METRICS, Direction, Halving, SchedulerSpec
from nasablate.search.job import WEIGHTS_FILE, Job, JobEnd, write_attempt
from nasablate.search.node import Needs
from nasablate.search.observer import Observer
from nasablate.search.proposals import Proposal, Proposer
from nasablate.search.rungs import RungRecord, goes_on, rung_epochs
from nasablate.search.trials import MAX_DEATHS, Trial, known_of, objective_values
from nasablate.store import Epoch, State, StudyStore, TrialRecord

if TYPE_CHECKING:
    from nasablate.genome import AblationSpec, SearchSpec
    from nasablate.search.samplers import Known


@dataclass(frozen=True)
class Rules:
    """How the trials of a study are run."""

    objectives: Mapping[str, Direction]
    """Metric to ``minimize`` or ``maximize``."""
    scheduler: SchedulerSpec
    data: str
    """Canonical JSON of the data spec."""
    budget: int
    """Rows the study shall have."""
    keep_weights: bool = False
    reuse: bool = True
    """Whether results of other studies in the database are taken over."""
    record_every: int = 0
    """Steps between records within an epoch; 0 makes none."""

    @property
    def measured(self) -> frozenset[str]:
        """Objectives that only a trial's worker can tell."""
        return MEASURED_METRICS & self.objectives.keys()


def steps_between_records(spec: "SearchSpec | AblationSpec") -> int:
    """Return what a file asks for within epochs, 0 if nothing."""
    return 0 if spec.record is None else spec.record.every_steps


class Driver:
    """Runs one study; see the module."""

    def __init__(
        self, store: StudyStore, proposer: Proposer, rules: Rules, observer: Observer
    ) -> None:
        self.interrupted = False
        """Set by a runner that was asked to stop; no more work is given out."""
        self.exhausted = False
        self.needs = Needs.of(store, rules.data)
        self._store = store
        self._proposer = proposer
        self._rules = rules
        self._observer = observer
        self._trials: dict[int, Trial] = {}
        self._history: list[Known] = []
        self._rungs: dict[int, list[RungRecord]] = {}
        self._load()
        self._again = deque(
            trial.number for trial in self._trials.values() if not _is_over(trial.known.state)
        )
        observer.on_start(rules.budget, sum(_is_over(known.state) for known in self._history))
        self._show_best()

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return (
            not self._again
            and self.num_running == 0
            and (self.exhausted or len(self._trials) >= self._rules.budget)
        )

    @property
    def num_running(self) -> int:
        """Trials that workers have now."""
        return sum(trial.running for trial in self._trials.values())

    @property
    def note(self) -> str:
        """Why fewer trials than the budget were proposed, empty if they were not."""
        return self._proposer.note

    def next_job(self) -> Job | None:
        """Return the next training, or None if there is nothing to start now."""
        if self.interrupted:
            return None
        while self._again:
            job = self._take_up(self._trials[self._again.popleft()])
            if job is not None:
                return job
        while not self.exhausted and len(self._trials) < self._rules.budget:
            proposal = self._proposer.propose(self._history)
            if proposal is None:
                self.exhausted = True
                return None
            job = self._begin(proposal)
            if job is not None:
                return job
        return None

    def report(self, number: int, attempt: int, epoch: Epoch) -> bool:
        """Store an epoch and decide whether the training goes on."""
        trial = self._current(number, attempt)
        if trial is None or self.interrupted:
            return False
        stored = trial.curve.get(epoch.epoch)
        if stored is None:
            self._add_epoch(trial, epoch)
        elif not stored.same_result(epoch) and "differs_from_epoch" not in trial.attributes:
            # The first record stays, since rungs were decided by it; but it is said.
            self._set(trial, {"differs_from_epoch": epoch.epoch})
        self._observer.on_epoch(number, epoch)
        return self._goes_on(trial, epoch.epoch)

    def finish(self, number: int, attempt: int, end: JobEnd) -> None:
        """Write how an attempt ended."""
        trial = self._current(number, attempt)
        if trial is not None:
            self._finish(trial, end)

    def lost(self, number: int, attempt: int, reason: str) -> None:
        """Say that the worker of an attempt died; the trial is tried again, but not for ever."""
        trial = self._current(number, attempt)
        if trial is None or self.interrupted:
            return
        self._set(trial, {"deaths": trial.deaths + 1})
        if trial.deaths < MAX_DEATHS:
            trial.running = False
            self._again.append(number)
            return
        self._finish(trial, JobEnd("failed", f"gave up after {MAX_DEATHS} attempts: {reason}"))

    def release(self) -> None:
        """Mark the trials that run now as waiting, so that no row says running."""
        for trial in self._trials.values():
            if trial.running:
                trial.running = False
                self._store.set_waiting(trial.number)
                trial.known.state = "waiting"

    # Starting

    def _load(self) -> None:
        for record in self._store.trials():
            self._add_trial(record)
        for row in self._store.epochs():
            trial = self._trials.get(row.trial)
            if trial is not None:
                self._note_epoch(trial, row.epoch, row.row_id)
        for trial in self._trials.values():
            if trial.known.state == "pruned":
                trial.known.stopped = self._stopped_at(trial)

    def _show_best(self) -> None:
        direction = next(iter(self._rules.objectives.values()))
        sign = 1 if direction == "minimize" else -1
        complete = [(known.values[0], known) for known in self._history if known.values]
        if complete:
            value, best = min(complete, key=lambda pair: (sign * pair[0], pair[1].number))
            summary = self._trials[best.number].summary()
            self._observer.on_best(best.number, summary, value)

    def _add_trial(self, record: TrialRecord) -> Trial:
        trial = Trial(
            known=known_of(record),
            attributes=dict(record.attributes),
            folder=self._store.trial_folder(record.number),
            intermediate=set(record.intermediate),
        )
        self._trials[record.number] = trial
        self._history.append(trial.known)
        return trial

    def _take_up(self, trial: Trial) -> Job | None:
        """Start the next attempt at a trial, or finish it if only its last word was lost."""
        for epoch in sorted(set(trial.curve) - trial.intermediate):
            self._give_optuna(trial, trial.curve[epoch])
        if trial.known.state == "waiting":
            self._store.set_running(trial.number)
            trial.known.state = "running"
        end = self._already_ended(trial)
        if end is not None:
            trial.running = True
            self._observer.on_trial_start(trial.number, trial.summary(), trial.epochs)
            if trial.last is not None:
                self._observer.on_epoch(trial.number, trial.last)
            self._finish(trial, end)
            return None
        if self._copy_curve(trial):
            return None
        return self._start(trial)

    def _begin(self, proposal: Proposal) -> Job | None:
        """Make the row of a proposal; None if another study already has its result."""
        reuse = self._rules.reuse and not self._rules.measured
        source = self._store.find_evaluation(proposal.key) if reuse else None
        extra: dict[str, Any] = {"attempt": 0}
        if source is not None:
            extra["cached_from"] = f"{source[0]}/{source[1]}"
        new = proposal.new_trial(extra)
        number = self._store.create_trial(new)
        self._store.set_evaluation(proposal.key, number, "running")
        trial = self._add_trial(
            TrialRecord(
                study=self._store.name,
                number=number,
                state="running",
                params=new.params,
                attributes=new.attributes,
                values=None,
                intermediate={},
                started=None,
                finished=None,
            )
        )
        if self._copy_curve(trial):
            return None
        return self._start(trial)

    def _start(self, trial: Trial) -> Job:
        self._set(trial, {"attempt": trial.attempt + 1})
        trial.running = True
        job = trial.job(
            self._store.name,
            self._rules.data,
            keep_weights=self._rules.keep_weights,
            measure=bool(self._rules.measured),
            record_every=self._rules.record_every,
        )
        try:
            write_attempt(job)
        except OSError as error:
            message = f"{job.folder} cannot be written: {error.strerror}; what is done is kept"
            raise RunError(message) from error
        self._observer.on_trial_start(trial.number, trial.summary(), trial.epochs)
        return job

    def _copy_curve(self, trial: Trial) -> bool:
        """Finish a trial with the curve of another study, if it is one that has it from there."""
        study, _, number = str(trial.attributes.get("cached_from", "")).rpartition("/")
        curve = self._store.curve_elsewhere(study, int(number)) if study else ()
        if len(curve) != trial.epochs:
            return False
        trial.running = True
        self._observer.on_trial_start(trial.number, trial.summary(), trial.epochs)
        for epoch in curve:
            if epoch.epoch not in trial.curve:  # a driver that was killed may have copied some
                self._add_epoch(trial, epoch)
            self._observer.on_epoch(trial.number, epoch)
        self._store.predictions.copy(study, int(number), trial.number)
        self._store.steps.copy(study, int(number), trial.number)
        self._finish(trial, JobEnd("completed"))
        return True

    # Deciding

    def _already_ended(self, trial: Trial) -> JobEnd | None:
        """Return the end that the stored epochs already decide."""
        last = trial.last
        if last is None:
            return None
        if not last.is_finite:
            return JobEnd("diverged")
        if not self._goes_on(trial, last.epoch):
            return JobEnd("stopped")
        if trial.is_trained(keep_weights=self._rules.keep_weights):
            return JobEnd("completed")
        return None

    def _goes_on(self, trial: Trial, epoch: int) -> bool:
        scheduler = self._rules.scheduler
        if not isinstance(scheduler, Halving) or "cached_from" in trial.attributes:
            return True
        if epoch not in rung_epochs(scheduler, trial.epochs):
            return True
        own = RungRecord(trial.row_ids[epoch], trial.curve[epoch].val_error)
        return goes_on(own, self._rungs[epoch], scheduler.factor)

    # Writing

    def _add_epoch(self, trial: Trial, epoch: Epoch) -> None:
        row = self._store.add_epoch(trial.number, epoch)
        self._note_epoch(trial, replace(epoch, steps=()), row.row_id)
        self._give_optuna(trial, epoch)

    def _note_epoch(self, trial: Trial, epoch: Epoch, row_id: int) -> None:
        trial.curve[epoch.epoch] = epoch
        trial.row_ids[epoch.epoch] = row_id
        record = RungRecord(row_id, epoch.val_error)
        self._rungs.setdefault(epoch.epoch, []).append(record)

    def _give_optuna(self, trial: Trial, epoch: Epoch) -> None:
        if len(self._rules.objectives) == 1:  # Optuna has none for several objectives
            self._store.set_intermediate(trial.number, epoch.epoch, epoch.val_error)
            trial.intermediate.add(epoch.epoch)

    def _finish(self, trial: Trial, end: JobEnd) -> None:
        extra: dict[str, Any] = {**trial.manifest(), **trial.measurement()}
        trial.attributes |= extra
        end = _checked(end, trial, self._rules.measured)
        state, values = self._result(trial, end)
        reason = end.reason if state == "fail" else ""
        if len(self._rules.objectives) > 1:
            extra["curve"] = [
                [epoch, trial.curve[epoch].val_error] for epoch in sorted(trial.curve)
            ]
        if reason:
            extra |= {"failure_reason": reason, "failure_kind": end.state}
        trial.keep_details(end)
        predictions = trial.predictions() if state == "complete" else None
        if predictions is not None:
            self._store.predictions.add(predictions)
        with contextlib.suppress(OSError):  # a full disk may be why the trial failed
            kept = [trial.folder / name for name in ("error.txt", WEIGHTS_FILE)]
            self._store.attach(trial.number, trial.texts(end), kept)
        self._store.set_evaluation(trial.known.key, trial.number, state)
        self._store.finish_trial(trial.number, state, values, extra)
        trial.attributes |= extra
        trial.running = False
        trial.known.state = state
        trial.known.values = values if state == "complete" else None
        trial.known.stopped = self._stopped_at(trial) if state == "pruned" else None
        trial.clean(end)
        first = values[0] if values else None
        self._observer.on_trial_end(trial.number, state, first, reason)

    def _result(self, trial: Trial, end: JobEnd) -> tuple[State, tuple[float, ...] | None]:
        """Return the final state and the values Optuna shall have."""
        last = trial.last
        match end.state:
            case "completed":
                assert last is not None
                return "complete", objective_values(self._rules.objectives, last, trial.attributes)
            case "stopped":
                assert last is not None
                # Optuna's own value of such a trial is its last intermediate value.
                only = list(self._rules.objectives) == ["val_error"]
                return "pruned", (last.val_error,) if only else None
            case "diverged" | "failed":
                return "fail", None

    def _stopped_at(self, trial: Trial) -> tuple[int, float] | None:
        last = trial.last
        if last is None or len(self._rules.objectives) > 1:
            return None
        values = objective_values(self._rules.objectives, last, trial.attributes)
        return last.epoch, values[0]

    def _set(self, trial: Trial, attributes: Mapping[str, Any]) -> None:
        self._store.set_trial_attributes(trial.number, attributes)
        trial.attributes |= attributes

    def _current(self, number: int, attempt: int) -> Trial | None:
        trial = self._trials.get(number)
        if trial is None or not trial.running or trial.attempt != attempt:
            return None
        return trial


def _is_over(state: State) -> bool:
    return state not in {"waiting", "running"}


def _checked(end: JobEnd, trial: Trial, measured: frozenset[str]) -> JobEnd:
    """Return the end that the records bear out."""
    last = trial.last
    epoch = 0 if last is None else last.epoch
    if end.state in {"completed", "stopped"} and (last is None or not last.is_finite):
        return JobEnd("diverged", f"not finite at epoch {epoch}" if epoch else "no epoch was run")
    if end.state == "completed" and epoch < trial.epochs:
        return JobEnd("failed", f"ended after epoch {epoch} of {trial.epochs}")
    missing = sorted(measured - trial.attributes.keys())
    if end.state in {"completed", "stopped"} and missing:
        return JobEnd("failed", f"{missing[0]} was not measured")
    if end.state == "diverged" and not end.reason:
        return replace(end, reason=f"diverged: not finite at epoch {epoch}")
    return end
