from dataclasses import fields

import pytest

from atomsight.errors import FetchError
from atomsight.io.accessions import accession
from atomsight.io.emdb_header import HeaderFile, read_emdb_header
from tests.support.archive_server import header_xml

ENTRY = accession("EMD-3488")
RESOLUTION = "<resolution>{}</resolution>"
CONTOUR = '<contour primary="{}"><level>{}</level></contour>'


@pytest.fixture
def read(tmp_path):
    def _read(data, entry=ENTRY):
        path = tmp_path / "header.xml"
        path.write_bytes(data)
        return read_emdb_header(path, entry)

    return _read


def test_everything_that_a_header_says(read):
    found = read(header_xml())
    assert {f.name: getattr(found, f.name) for f in fields(found)} == {
        "name": "EMD-3488",
        "title": "4.2 kDa of <haemoglobin> & Å",
        "status": "REL",
        "released": "2017-01-11",
        "superseded_by": (),
        "models": ("5NI1",),
        "map": HeaderFile("emd_3488.map.gz", 307200),
        "half_maps": (
            HeaderFile("emd_3488_half_map_1.map.gz", 307200),
            HeaderFile("emd_3488_half_map_2.map.gz", 307200),
        ),
        "masks": (HeaderFile("emd_3488_msk_1.map", 307200),),
        "resolution": 3.2,
        "resolution_method": "FSC 0.143 CUT-OFF",
        "contour": 0.45,
        "contour_source": "AUTHOR",
        "notes": (),
    }


def test_a_header_that_says_little(read):
    bare = header_xml(
        map_file=None, masks=(), halves=(), models={}, resolution="", contours="", status="HPUB"
    )
    found = read(bare)
    assert (found.map, found.half_maps, found.masks, found.models) == (None, (), (), ())
    assert (found.resolution, found.contour, found.status) == (None, None, "HPUB")


@pytest.mark.parametrize("text", ["nan", "inf", "-3", "0", "", "three", "1e400", "5000"])
def test_a_resolution_that_is_none(read, text):
    assert read(header_xml(resolution=RESOLUTION.format(text))).resolution is None


def test_several_resolutions_are_told(read):
    both = "<resolution>3.2</resolution></final_reconstruction><final_reconstruction>"
    found = read(header_xml(resolution=both + RESOLUTION.format("4")))
    assert found.resolution == 3.2
    assert found.notes == ("the header gives several resolutions (3.2, 4 Å): the first is taken",)
    assert read(header_xml(resolution=both + RESOLUTION.format("3.20"))).notes == ()


@pytest.mark.parametrize(
    ("contours", "level"),
    [
        ([("false", 1), ("true", 0.02)], 0.02),
        ([("0", 1), ("1", -0.5)], -0.5),
        ([("false", 0.7)], 0.7),
        ([("false", 1), ("false", 2)], None),
        ([("true", "nan")], None),
        ([("true", "")], None),
        ([], None),
    ],
)
def test_the_contour_is_the_primary_one_or_the_only_one(read, contours, level):
    text = "".join(CONTOUR.format(*contour) for contour in contours)
    assert read(header_xml(contours=text)).contour == level


def test_models_in_the_frame_of_the_map_only(read):
    found = read(
        header_xml(
            models={
                "1aaa": "<in_frame>PARTIALOVERLAP</in_frame>",
                "2bbb": "<other>the same complex</other>",
                "3ccc": "<in_frame>NOOVERLAP</in_frame>",
                "4ddd": "<in_frame>FULLOVERLAP</in_frame>",
                "5eee": "",
                "../..": "<in_frame>FULLOVERLAP</in_frame>",
                "EMD-3488": "<in_frame>FULLOVERLAP</in_frame>",
            }
        )
    )
    assert found.models == ("4DDD", "5EEE", "1AAA")


def test_an_obsolete_entry_names_the_one_that_replaces_it(read):
    found = read(header_xml(status="OBS", superseded_by="EMD-9999"))
    assert (found.status, found.superseded_by) == ("OBS", ("EMD-9999",))


def test_a_composite_map_is_told(read):
    assert "composite map" in read(header_xml(attributes=' composite_map="true"')).notes[0]


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd", "/etc/passwd", "emd_3488.map/../x", "emd_3488_../x.map", ".map"),
        *(
            "emd_3489.map.gz",
            "emd_3488.map.gz.exe",
            "emd_3488 .map",
            "EMD_3488.map",
            "emd_3488é.map",
        ),
        *("http://example.org/emd_3488.map", "emd_3488.map?x", "emd_3488%2f.map", "emd_34880.map"),
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(read, name):
    for options in ({"map_file": name}, {"halves": (name, "emd_{}_half_map_2.map.gz")}):
        with pytest.raises(FetchError, match=r"names a file '.*', which is no file of EMD-3488"):
            read(header_xml(**options))
    found = read(header_xml(masks=(name, "emd_{}_msk_1.map")))
    assert [file.name for file in found.masks] == ["emd_3488_msk_1.map"]
    assert found.notes == ("1 masks of EMD-3488 have names that are not asked for",)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE emd [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<emd emdb_id="EMD-3488"><admin><title>&c;</title></admin></emd>"""
OUTSIDE = b"""<!DOCTYPE emd [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<emd emdb_id="EMD-3488"><admin><title>&x;</title></admin></emd>"""
ELSEWHERE = b'<!DOCTYPE emd SYSTEM "http://127.0.0.1/emd.dtd"><emd emdb_id="EMD-3488"/>'


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, ELSEWHERE], ids=["bomb", "file", "dtd"])
def test_a_header_declares_no_document_type(read, data):
    with pytest.raises(FetchError, match="declares a document type, which no header"):
        read(data)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"<html><body>error</body></html>", "not the header of EMD-3488"),
        (header_xml("EMD-1234"), "not the header of EMD-3488"),
        (header_xml().replace(b"<emd ", b"<emdEntry ").replace(b"</emd>", b"</emdEntry>"), "3.0"),
        (header_xml()[:-40], "cannot be read as XML"),
        (b"\xff\xfe<emd", "cannot be read as XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><emd/>', "cannot be read as XML"),
        (b"<emd>&x;</emd>", "cannot be read as XML"),
        (b"{}", "cannot be read as XML"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_header(read, data, complaint):
    with pytest.raises(FetchError, match=complaint):
        read(data)
