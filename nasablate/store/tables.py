"""Our own tables, beside Optuna's in the same database."""

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData()

EPOCHS = Table(
    "nasablate_epochs",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(120), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    # SQLite keeps NaN as NULL, so every measured number may be NULL and NULL reads as NaN.
    Column("train_loss", Float(53)),
    Column("train_error", Float(53)),
    Column("val_loss", Float(53)),
    Column("val_error", Float(53)),
    Column("lr", Float(53)),
    Column("seconds", Float(53)),
    UniqueConstraint("study", "trial", "epoch"),
    Index("nasablate_epochs_by_rung", "study", "epoch", "id"),
    # Without this SQLite may give a deleted row's id away again; rungs rely on the order of ids.
    sqlite_autoincrement=True,
)

STEPS = Table(
    "nasablate_steps",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(120), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("train_loss", Float(53)),
    Column("lr", Float(53)),
    UniqueConstraint("study", "trial", "step"),
)

EVALUATIONS = Table(
    "nasablate_evaluations",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, index=True),
    Column("study", String(120), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("study", "trial"),
)

TEST_READINGS = Table(
    "nasablate_test_readings",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(120), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("error", Float(53), nullable=False),
    Column("loss", Float(53)),
    Column("num_images", Integer, nullable=False),
    Column("correct", LargeBinary, nullable=False),
    Column("read_at", DateTime, nullable=False),
    UniqueConstraint("study", "trial", "purpose"),
)

PREDICTIONS = Table(
    "nasablate_predictions",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(120), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("part", String(16), nullable=False),
    Column("num_images", Integer, nullable=False),
    Column("correct", LargeBinary, nullable=False),
    Column("loss", Float(53)),
    Column("true_probability", Float(53)),
    UniqueConstraint("study", "trial", "part"),
)
