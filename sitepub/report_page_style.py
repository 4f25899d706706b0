"""The one stylesheet of the page that `--html` writes: light and dark, readable without colour, nothing from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --quiet: #5b636b; --line: #d0d6dc; --fill: #f3f5f7;
  --new: #1a7f37; --changed: #9a5700; --gone: #c1272d; --blue: #0a5bb5; --on: #fff }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e8ebee; --quiet: #a3adb7; --line: #3a424a; --fill: #1e2328;
  --new: #56d07a; --changed: #e5b04c; --gone: #ff8a85; --blue: #79b4ff; --on: #14171a } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem }
p.about { color: var(--quiet); margin: 0 0 1rem; overflow-wrap: anywhere }
a { color: var(--blue) }
a.skip { position: absolute; left: -100rem }
a.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .25rem .5rem }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px }
dl.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0 }
dl.totals div { background: var(--fill); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem }
dl.totals dt { color: var(--quiet); font-size: .875rem }
dl.totals dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums }
ul.warnings { padding-left: 1.2rem; overflow-wrap: anywhere }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; background: var(--paper) }
summary { cursor: pointer; padding: .45rem .8rem; overflow-wrap: anywhere }
summary .folder { font-family: ui-monospace, monospace }
summary .of { color: var(--quiet) }
.scroll { overflow-x: auto; max-height: 32rem; border-top: 1px solid var(--line) }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.scroll { position: relative }
th, td { text-align: left; padding: .25rem .8rem; border-top: 1px solid var(--line); vertical-align: top }
th[scope=row] { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.mark { display: inline-block; min-width: 4.8em; font-weight: 600 }
.new { color: var(--new) } .changed { color: var(--changed) } .deleted { color: var(--gone) }
figure { margin: .6rem 0; overflow-x: auto }
figcaption { color: var(--quiet); font-size: .9rem; margin-bottom: .3rem }
svg { max-width: 100%; height: auto; font: 13px system-ui, sans-serif }
svg text { fill: var(--ink) } svg text.quiet { fill: var(--quiet) } svg text.on { fill: var(--on) }
svg .track { fill: var(--fill); stroke: var(--line) } svg .used { fill: var(--quiet) } svg .this { fill: var(--blue) } svg .next { fill: none; stroke: var(--blue); stroke-dasharray: 4 3 }
svg .bar { fill: var(--blue) } svg .spill { fill: var(--changed) } svg .edge { stroke: var(--quiet); fill: none } svg .box { fill: var(--fill); stroke: var(--line) } svg .middle { stroke: var(--blue); stroke-width: 2 }
@media print { details { break-inside: avoid } }
"""
