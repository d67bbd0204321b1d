"""Third-party programs in the page."""

import base64
import gzip
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.report.bundles import MOLSTAR_SHA256, molstar, molstar_checksum, pack, plotly

USED = """
The viewer's program is another one than the page was written for. Look whether these still are
what report/assets/viewer.js takes them for, run tests/report/browser, look at a page, and then
change MOLSTAR_SHA256 and the versions named in bundles.py, pyproject.toml and page.html.j2:

  molstar.Viewer.create and its options (layout…, viewport…, volumeStreamingDisabled)
  viewer.plugin: builders.data.rawData, builders.structure (parseTrajectory, createModel,
    createStructure, tryCreateComponentStatic, representation.addRepresentation),
    representation.structure.themes.colorThemeRegistry.add, managers.lociLabels, managers.camera,
    managers.structure.focus, behaviors.interaction.click, state.updateBehavior, canvas3d.setProps
  molstar.lib.structure: Structure.toStructureElementLoci, StructureElement.Loci (fromSchema, is,
    isEmpty, getFirstLocation), Bond (isLoci, toFirstStructureElementLoci)
  molstar.lib.plugin: StateTransforms (Data.ParseCcp4, Volume.VolumeFromCcp4,
    Representation.VolumeRepresentation3D), DefaultPluginUISpec
  labels are shown as HTML, and have to be escaped
"""


def test_the_viewer_is_the_one_that_the_page_was_written_for():
    assert molstar_checksum() == MOLSTAR_SHA256, USED
    assert version("molstar-cli") == "0.0.1"


@pytest.mark.parametrize(
    "name",
    [
        *("colorThemeRegistry", "tryCreateComponentStatic", "parseTrajectory", "fromSchema"),
        *("toFirstStructureElementLoci", "toStructureElementLoci", "getFirstLocation"),
        *("VolumeFromCcp4", "VolumeRepresentation3D", "ParseCcp4", "DefaultPluginUISpec"),
        *("lociLabels", "clearProviders", "setFromLoci", "focusLoci", "updateBehavior"),
        *("volumeStreamingDisabled", "viewportShowControls", "structure-focus-representation"),
    ],
)
def test_the_viewer_knows_every_name_that_is_used(name):
    assert name.encode() in gzip.decompress(base64.b64decode(molstar()[0]))


def test_the_viewer_comes_with_its_style_and_licence():
    _, style, licence = molstar()
    assert b".msp-plugin" in gzip.decompress(base64.b64decode(style))
    assert "MIT" in licence
    assert "Permission is hereby granted" in licence


def test_plotly_comes_with_its_licence():
    program = gzip.decompress(base64.b64decode(plotly()))
    assert program.startswith(b"/**\n* plotly.js v")
    assert b"Licensed under the MIT license" in program[:300]


@given(st.binary(max_size=2000))
def test_packed_is_the_same_again_and_can_be_unpacked(content):
    packed = pack(content)
    assert packed == pack(content)
    assert packed.isascii()
    assert not set(packed) & set("<>&\"'")
    assert gzip.decompress(base64.b64decode(packed)) == content


def test_packed_does_not_tell_when():
    header = base64.b64decode(pack(b"x"))
    assert header[:4] == b"\x1f\x8b\x08\x00"
    assert header[4:8] == bytes(4)
