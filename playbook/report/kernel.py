"""The kernel a report runs in: this Python, reachable by this user only, no start-up files.

A kernel on plain TCP can be read by any other user of the machine, and a kernel named "python3"
in the user's folder may belong to another Python altogether.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default


class _OwnSpec(KernelSpecManager):
    """Knows one kernel: the running Python's own."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        return []


class PrivateKernelManager(AsyncKernelManager):
    """Local sockets in the user's own folder; on Windows, which has none here, encrypted TCP."""

    @default("kernel_spec_manager")
    def _kernel_spec_manager_default(self) -> KernelSpecManager:
        return _OwnSpec(parent=self)

    @default("connection_file")
    def _connection_file_default(self) -> str:
        # Left out, the sockets would lie in the folder the notebook runs in.
        folder = Path(jupyter_runtime_dir())
        # Where Jupyter has never run the folder is not there yet, and nobody else makes it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(folder / f"k{uuid.uuid4().hex[:12]}.json")

    @default("transport")
    def _transport_default(self) -> str:
        return "tcp" if os.name == "nt" else "ipc"

    @default("transport_encryption")
    def _transport_encryption_default(self) -> str:
        return "required" if os.name == "nt" else "disabled"
