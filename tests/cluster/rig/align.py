"""Brings modules that several recipes compile to one version each, so that a cold build compiles them once.

Called by pins.sh. Usage: align.py FOLDER...   (folders with a go.mod, the commands in it as tools or as a main.go)
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 10
"""A raised module may ask for higher versions of others; a few rounds settle it."""
USED = "{{with .Module}}{{.Path}} {{if .Replace}}{{.Replace.Version}} replaced{{else}}{{.Version}}{{end}}{{end}}"


@dataclass(frozen=True, slots=True)
class Module:
    """A module that gives packages to a folder's commands."""

    path: str
    version: str
    replaced: bool

    @property
    def order(self) -> tuple[list[int], bool, str]:
        """Sorts as Go does: a prerelease, which pseudo-versions are too, before its release."""
        numbers, _, prerelease = self.version.removesuffix("+incompatible").partition("-")
        return [int(number) for number in re.findall(r"\d+", numbers)], not prerelease, prerelease


def main(folders: list[Path]) -> None:
    """Raise what is lower than in another folder until all agree; a module that is replaced stays as it is."""
    for _ in range(ROUNDS):
        used = {folder: used_modules(folder) for folder in folders}
        in_order = sorted((module for modules in used.values() for module in modules), key=lambda module: module.order)
        highest = {module.path: module for module in in_order}
        raises = {
            folder: [highest[m.path] for m in modules if is_lower(m, highest)] for folder, modules in used.items()
        }
        if not any(raises.values()):
            return
        for folder, modules in raises.items():
            print(f"{folder.name}: {len(modules)} of its {len(used[folder])} modules raised", flush=True)
            if modules:
                go(folder, "mod", "edit", *(f"-require={module.path}@{module.version}" for module in modules))
    sys.exit(f"after {ROUNDS} rounds these do not agree: {', '.join(folder.name for folder in folders)}")


def is_lower(module: Module, highest: dict[str, Module]) -> bool:
    """Whether a module is to be raised."""
    return not module.replaced and module.version != highest[module.path].version


def used_modules(folder: Path) -> list[Module]:
    """The modules that a folder's commands are compiled from."""
    packages = "." if (folder / "main.go").exists() else "tool"
    lines = {
        line for line in go(folder, "list", "-mod=mod", "-deps", "-f", USED, packages).splitlines() if " v" in line
    }
    return [Module(path, version, bool(rest)) for path, version, *rest in map(str.split, sorted(lines))]


def go(folder: Path, *arguments: str) -> str:
    """What a go command prints."""
    return subprocess.run(["go", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
