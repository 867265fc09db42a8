export const style = `
:root { color-scheme: light dark; --line: #d5dae1; --soft: #f4f6f8; --text: #1c2430; --quiet: #5b6675; --link: #1558b0;
  --get: #1b6e3c; --post: #1558b0; --put: #8a5a00; --patch: #8a5a00; --delete: #b02a2a; }
@media (prefers-color-scheme: dark) {
  :root { --line: #39424e; --soft: #1d232b; --text: #dfe5ec; --quiet: #9aa6b4; --link: #7fb2f5;
    --get: #2f8f57; --post: #3b78c9; --put: #a5751a; --patch: #a5751a; --delete: #c24a4a; }
  body { background: #14181d; }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
.page { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 90rem; margin: 0 auto; }
nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line);
  font-size: .875rem; }
nav h2 { margin: 1rem 0 .25rem; font-size: .875rem; }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li { padding: .1rem 0; overflow-wrap: anywhere; }
main { padding: 1.5rem 2rem 4rem; max-width: 62rem; }
h1 { margin: 0 0 .5rem; } h2 { margin: 3rem 0 .5rem; }
h3 { margin: 0; font-size: 1.05rem; } h4 { margin: 1.25rem 0 .25rem; font-size: .9rem; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
p { margin: .5rem 0; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { margin: .25rem 0; padding: .75rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
article { margin: 1rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: 8px; }
article > header { display: flex; flex-wrap: wrap; gap: .75rem; align-items: baseline; }
.method { padding: .1rem .5rem; border-radius: 4px; color: #fff; font: 600 .75rem/1.6 ui-monospace, monospace; }
.get { background: var(--get); } .post { background: var(--post); } .put { background: var(--put); }
.patch { background: var(--patch); } .delete { background: var(--delete); }
.path { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 600; }
td:first-child { white-space: nowrap; }
details { margin: .25rem 0; } summary { cursor: pointer; }
summary p { display: inline; }
@media (max-width: 60rem) {
  .page { display: block; } nav { position: static; max-height: none; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
}
`;
