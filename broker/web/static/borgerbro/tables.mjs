// Tables with data-filter: their heads sort them here, without asking for the page again, and long ones get a field that
// shows the rows with some words alone.
//
// The words are the page's own (data-…), so that this file speaks no language. Without it the heads are links.

const LONG = 8;
// The names are Danish, whatever language the page is read in.
const order = new Intl.Collator("da", { numeric: true });

function valueOf(cell) {
  const said = cell.dataset.key ?? cell.textContent.trim();
  return said !== "" && Number.isFinite(Number(said)) ? Number(said) : said;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return order.compare(one, other);
}

function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const down = heads[column].ariaSort === "ascending";
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
  rows.sort(([one], [other]) => (down ? compare(other, one) : compare(one, other)));
  body.append(...rows.map(([, row]) => row));
}

function addFilter(table) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  label.textContent = table.dataset.filter;
  label.className = "form-label d-print-none";
  label.htmlFor = field.id = `${table.id}-filter`;
  field.className = "form-input d-print-none";
  field.type = "search";
  field.autocomplete = "off";
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
  });
  table.closest(".bb-scroll").before(label, field);
}

for (const table of document.querySelectorAll("table[data-filter]")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      sort(table, column);
    });
  });
  if (table.tBodies[0].rows.length > LONG) addFilter(table);
}
