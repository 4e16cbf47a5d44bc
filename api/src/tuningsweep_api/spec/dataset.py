"""`spec.trainable.builtin.dataset`: where the rows come from. Loaded once per node, mapped read-only by every trial."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.spec.rules import Rule, RuledModel, exactly_one

ColumnName = Annotated[str, Field(min_length=1, max_length=128)]

_OPENML_RULES = (exactly_one(("id", "name"), ("id", "name"), "dataset.openml"),)


class OpenMLDataset(RuledModel):
    """A data set on OpenML (or a server that speaks its API), by id or by name."""

    RULES = _OPENML_RULES

    id: int | None = Field(default=None, ge=1)
    """OpenML data set id, e.g. 554 for mnist_784."""
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.() -]+$", max_length=128)
    """OpenML data set name; the active version with the lowest id is taken unless version says otherwise."""
    version: int | None = Field(default=None, ge=1)
    """Version, with name."""
    server: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", max_length=512)
    """Address of another OpenML API, e.g. http://mirror.example/api/v1/xml."""


class BundledName(StrEnum):
    """Data sets that come with scikit-learn."""

    IRIS = "iris"
    DIGITS = "digits"
    WINE = "wine"
    BREAST_CANCER = "breast_cancer"
    DIABETES = "diabetes"


class GeneratedDataset(Model):
    """Rows made by scikit-learn's make_classification or make_regression, for trying limits anywhere."""

    rows: int = Field(ge=10, le=10_000_000)
    """Number of rows."""
    features: int = Field(ge=2, le=100_000)
    """Number of numeric features."""
    classes: int = Field(default=2, ge=2, le=1000)
    """Number of classes; not used for regression."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of the generator."""


class DatasetFile(Model):
    """A Parquet or CSV file by path in the container, or by http(s) or s3 URL."""

    location: str = Field(
        min_length=1,
        max_length=1024,
        pattern=r"^(/|\./|\.\./|https?://|s3://|file://)?[^\s]+\.(parquet|csv|csv\.gz)$",
    )
    """Path or URL that ends in .parquet, .csv or .csv.gz."""


_DATASET_RULES = (
    exactly_one(
        ("openml", "bundled", "generated", "file"),
        ("openml", "bundled", "generated", "file"),
        "dataset",
    ),
    Rule(
        "!has(self.file) || has(self.target)",
        "dataset.target must name the column to predict when dataset.file is used",
        lambda d: d.file is None or d.target is not None,
    ),
    Rule(
        "!has(self.target) || !has(self.bundled) && !has(self.generated)",
        "dataset.target is fixed for bundled and generated data sets; leave it out",
        lambda d: d.target is None or (d.bundled is None and d.generated is None),
    ),
)


class Dataset(RuledModel):
    """Rows to train on: exactly one source, split 70/30 into training and validation rows."""

    RULES = _DATASET_RULES

    openml: OpenMLDataset | None = None
    """A data set on OpenML."""
    bundled: BundledName | None = None
    """A data set that comes with scikit-learn, by name."""
    generated: GeneratedDataset | None = None
    """Rows made up by scikit-learn's generators."""
    file: DatasetFile | None = None
    """A Parquet or CSV file."""
    target: ColumnName | None = None
    """Column to predict; the data set's own default target where it has one."""
    drop_columns: Annotated[list[ColumnName], Field(max_length=256)] = []
    """Columns not to train on."""
