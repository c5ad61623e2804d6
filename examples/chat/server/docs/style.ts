/** What the page of the API adds to the chat's stylesheet, whose colours it uses. */
export const STYLE = `
body.docs { height: auto; min-height: 100dvh; overflow: auto; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
.docs h1 { font-size: 1.8rem; }
.docs h1 small { font-size: 1rem; font-weight: 400; color: var(--soft); }
.docs h2 { margin: 2.5rem 0 0.5rem; padding: 0; font-size: 1.4rem; letter-spacing: normal; text-transform: none; color: var(--text); }
.docs h3 { font-size: 1.05rem; margin: 0; }
.docs h4 { margin: 0.9rem 0 0.2rem; font-size: 0.85rem; color: var(--soft); }
.docs p { margin: 0.4rem 0; }
.docs a { display: inline-block; padding: 0.15rem 0; color: var(--accent-strong); }
.docs code { padding: 0.05rem 0.3rem; border-radius: 5px; background: var(--side); font-size: 0.9em; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.docs nav { margin-top: 1.5rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); }
.docs nav > ul > li > a { font-weight: 600; }
.docs nav li ul { columns: 16rem; }
.docs nav li li { break-inside: avoid; }
.docs .arrow { color: var(--soft); }
.docs article { margin-top: 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); }
.docs article:target { border-color: var(--accent); }
.docs .mark { display: inline-block; padding: 0 0.6rem; border: 1px solid var(--line); border-radius: 999px; font-size: 0.8rem; color: var(--soft); }
.docs .mark.receive { border-color: var(--accent); color: var(--accent-strong); }
.docs .fields { padding-left: 1rem; border-left: 2px solid var(--line); }
.docs .fields li { margin: 0.3rem 0; }
.docs .fields .fields { margin-top: 0.3rem; }
.docs .type { margin-left: 0.4rem; }
.docs p > .type:first-child { margin-left: 0; }
.docs .optional, .docs .rule { margin-left: 0.4rem; font-size: 0.85rem; color: var(--soft); }
.docs .about { display: block; color: var(--soft); font-size: 0.9rem; }
`;
