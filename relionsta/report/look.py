"""How the report looks: on a screen of any width, and printed."""

STYLE = """
:root { color-scheme: light; --ink: #222; --grey: #666; --line: #ddd; --accent: #0072b2; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", Arial, sans-serif; color: var(--ink); background: #fff;
  max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .3rem; padding-top: .6rem; border-top: 2px solid var(--accent); }
h3 { font-size: 1rem; font-weight: normal; color: var(--grey); margin: 1rem 0 .2rem; }
p { margin: .5rem 0; }
a { color: var(--accent); }
nav ol { padding-left: 1.6rem; }
.facts { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 0 0 .6rem;
  color: var(--grey); font-size: .9rem; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; border: 1px solid var(--line); }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; overflow-wrap: normal; }
caption { text-align: left; color: var(--grey); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--accent); }
pre { background: #f6f6f6; padding: .7rem; overflow-x: auto; font-size: .8rem; white-space: pre-wrap; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--grey); font-size: .85rem; padding-top: .5rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  figure, table, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  details > *:not(summary) { display: block; }
}
"""
