"""A server on this machine that has entries as EMDB and the PDB lay them out, and can fail."""

import gzip
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[["Handler", bytes], bool]
"""Answers in its own way and returns True, or returns False to let the server answer well."""

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<emd emdb_id="{name}" version="3.0.11.3">
  <admin{attributes}>
    <current_status><date>2017-01-25</date><code>{status}</code></current_status>
    <sites><deposition>PDBe</deposition><last_processing>PDBe</last_processing></sites>
    <key_dates><deposition>2016-11-24</deposition><map_release>2017-01-11</map_release>
      <update>2017-08-30</update></key_dates>
    {superseded}
    <title>4.2 kDa of &lt;haemoglobin&gt;
      &amp; Å</title>
  </admin>
  <crossreferences><pdb_list>{models}</pdb_list></crossreferences>
  <structure_determination_list><structure_determination>
    <method>singleParticle</method>
    <singleparticle_processing><final_reconstruction>{resolution}
      <resolution_method>FSC 0.143 CUT-OFF</resolution_method>
    </final_reconstruction></singleparticle_processing>
  </structure_determination></structure_determination_list>
  {map}
  <interpretation>
    <segmentation_list>{masks}</segmentation_list>
    <half_map_list>{halves}</half_map_list>
  </interpretation>
</emd>
"""


def header_xml(
    name: str = "EMD-3488",
    *,
    status: str = "REL",
    superseded_by: str = "",
    models: Mapping[str, str] | None = None,
    resolution: str = '<resolution res_type="BY AUTHOR" units="Å">3.2</resolution>',
    map_file: str | None = "emd_{}.map.gz",
    contours: str = '<contour primary="true"><level>0.45</level><source>AUTHOR</source></contour>',
    masks: tuple[str, ...] = ("emd_{}_msk_1.map",),
    halves: tuple[str, ...] = ("emd_{}_half_map_1.map.gz", "emd_{}_half_map_2.map.gz"),
    kilobytes: int = 300,
    attributes: str = "",
) -> bytes:
    """A header with the elements of schema 3.0.11 that matter here."""
    number = name.removeprefix("EMD-")
    models = {"5ni1": "<in_frame>FULLOVERLAP</in_frame>"} if models is None else models
    size = f'format="CCP4" size_kbytes="{kilobytes}"'
    entry = f"<entry><date>2020-01-01</date><entry>{superseded_by}</entry></entry>"
    return HEADER.format(
        name=name,
        status=status,
        attributes=attributes,
        superseded=f"<superseded_by_list>{entry}</superseded_by_list>" if superseded_by else "",
        models="".join(
            f"<pdb_reference><pdb_id>{key}</pdb_id><relationship>{relation}</relationship>"
            "</pdb_reference>"
            for key, relation in models.items()
        ),
        resolution=resolution,
        map=""
        if map_file is None
        else f"<map {size}><file>{map_file.format(number)}</file>"
        f"<contour_list>{contours}</contour_list></map>",
        masks="".join(
            f"<segmentation><file>{m.format(number)}</file><mask_details {size}/></segmentation>"
            for m in masks
        ),
        halves="".join(
            f"<half_map {size}><file>{h.format(number)}</file></half_map>" for h in halves
        ),
    ).encode()


@dataclass
class Site:
    """Files by path, what goes wrong with each, and what was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ranges: bool = True
    url: str = ""

    @property
    def emdb(self) -> str:
        return f"{self.url}/pub/emdb"

    @property
    def pdb(self) -> str:
        return f"{self.url}/pub/pdb"

    def paths(self) -> list[str]:
        """Names of the files that were asked for, in this order."""
        return [path.rpartition("/")[2] for path, _ in self.asked]

    def find(self, name: str) -> str:
        """Path of a file."""
        return next(path for path in self.files if path.endswith(f"/{name}"))

    def fail(self, name: str, fault: Fault) -> None:
        """Let something go wrong with a file."""
        self.faults[self.find(name)] = fault

    def add_emdb(self, name: str, header: bytes, files: Mapping[str, bytes]) -> None:
        """An entry of EMDB; its files by folder and name."""
        root = f"/pub/emdb/structures/{name}"
        number = name.removeprefix("EMD-")
        self.files[f"{root}/header/emd-{number}.xml"] = header
        self.files |= {f"{root}/{path}": data for path, data in files.items()}

    def add_pdb(self, key: str, text: str) -> None:
        """A model of the PDB."""
        path = f"/pub/pdb/data/structures/divided/mmCIF/{key[-3:-1]}/{key}.cif.gz"
        self.files[path] = gzip.compress(text.encode(), mtime=0)


class Handler(BaseHTTPRequestHandler):
    """Answers with files, whole or in part."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        data = self.site.files.get(self.path)
        fault = self.site.faults.get(self.path)
        if fault is not None and fault(self, data or b""):
            return
        if data is None:
            self.answer(404, b"<html>not here</html>")
        else:
            self.give(data)

    def give(self, data: bytes) -> None:
        """The file, or the part that is asked for."""
        etag = self.site.etags.get(self.path, '"v1"')
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", etag) == etag
        if wanted and same and self.site.ranges:
            start = int(wanted[1])
            if start >= len(data):
                self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return
            where = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.answer(206, data[start:], {"ETag": etag, "Content-Range": where})
        else:
            self.answer(200, data, {"ETag": etag})

    def answer(
        self, status: int, data: bytes, headers: Mapping[str, str] | None = None, length: int = -1
    ) -> None:
        """A status, headers and a body; `length` says how long it pretends to be."""
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) if length < 0 else length))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site on 127.0.0.1, on a port that is free."""
    handler = type("SiteHandler", (Handler,), {"site": site})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def first_time(fault: Fault, times: int = 1) -> Fault:
    """Go wrong this often, then well."""
    left = [times]

    def once(handler: Handler, data: bytes) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fault(handler, data)

    return once


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Fault:
    """Answer with a status."""

    def answer(handler: Handler, _: bytes) -> bool:
        handler.answer(code, body, headers)
        return True

    return answer


def break_off(after: int) -> Fault:
    """Promise everything, send so many bytes, and hang up."""

    def answer(handler: Handler, data: bytes) -> bool:
        handler.answer(200, data[:after], {"ETag": '"v1"'}, length=len(data))
        handler.hang_up()
        return True

    return answer
