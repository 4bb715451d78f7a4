"""What outcomes, processes and comparisons look like in JupyterLab and in a page made by nbconvert."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CELLS = (
    "from tests.sample_outcomes import gap_model, gap_move\nfrom tests.pictures.test_display import two\ngap_move()",
    'gap_move("6.16")',
    "gap_model()",
    'two("6.16", "6.17")',
)


def test_in_jupyterlab(lab, shots):
    server, page = lab
    page.set_viewport_size({"width": 1300, "height": 2400})
    server.write("still.ipynb", *CELLS)
    server.run(page, "still.ipynb")
    moved = page.get_by_role(
        "img", name="mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64) returns"
    )
    expect(moved.first).to_be_visible()
    expect(page.get_by_role("img", name="page 64) fails with EFAULT").first).to_be_visible()
    expect(page.get_by_role("img", name="Address space: 3 VMAs")).to_be_visible()
    expect(page.get_by_text("≠ model:6.16 and model:6.17 differ")).to_be_visible()
    summary = page.get_by_text("As words, table and /proc/self/maps").first
    summary.click()
    expect(page.get_by_role("rowheader", name="B+C").first).to_be_visible()
    shots(page, "still-lab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_page_of_nbconvert_without_network(open_page, shots, tmp_path, scheme):
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    cells.append(nbformat.v4.new_code_cell("from vmalab.widgets import *\nCallBuilder(gap_model())"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, store_widget_state=False, resources={"metadata": {"path": "."}}).execute()
    html, _ = HTMLExporter(theme=scheme).from_notebook_node(notebook)
    path = tmp_path / "page.html"
    path.write_text(html, encoding="utf-8")
    page = open_page(height=2400)
    page.context.set_offline(True)
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    expect(page.get_by_role("img", name="Linux 6.18 now: 3 VMAs")).to_be_visible()
    shots(page, f"still-page-{scheme}")
