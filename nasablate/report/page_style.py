"""How pages of reports look: on light and dark screens, on paper, without colour."""

STYLE = """
:root{--page:#fff;--ink:#1b1f23;--mute:#57606a;--rule:#d5dade;--band:#f3f5f7;--link:#0b5cad;
--low:#005f9e;--high:#a84300;--same:#00704f;color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{--page:#16191d;--ink:#e8eaed;--mute:#a9b2bb;
--rule:#3a424b;--band:#20252b;--link:#7db8f0;--low:#6cb6ee;--high:#ff9a57;--same:#4fd0a3;
color-scheme:dark}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;margin:0;
color:var(--ink);background:var(--page)}
header,main,footer,nav{max-width:1120px;margin:0 auto;padding:0 1.5rem}
header{padding-top:1.8rem}
h1{font-size:1.7rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.4rem 0 .6rem;padding-top:.4rem;border-top:2px solid var(--rule)}
h3{font-size:1.02rem;margin:1.4rem 0 .4rem}
p,li{max-width:46rem}li{margin:.35rem 0}
a{color:var(--link)}
.question{font-size:1.15rem;margin:.3rem 0}.meta,.note,figcaption{color:var(--mute)}
.note,figcaption{font-size:.9rem;max-width:46rem}
.answer{font-size:1.1rem;font-weight:600}
.state{border:1px solid var(--high);border-left-width:6px;padding:.6rem .9rem;
background:var(--band)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.8rem 0 0}
nav li{margin:0}
.skip{position:absolute;left:-999rem}.skip:focus{position:static}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.verdicts{list-style:none;padding:0}
.verdicts li{padding-left:1.7rem;text-indent:-1.7rem}.verdicts .sign{display:inline-block;
width:1.7rem;text-indent:0}.verdicts .note{text-indent:0;display:block}
.sign{font-family:"Segoe UI Symbol","DejaVu Sans",sans-serif}
.better,.lowers{color:var(--low)}.worse,.raises{color:var(--high)}.equivalent{color:var(--same)}
.futile,.undecided,.missing{color:var(--mute)}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.9rem;min-width:24rem}
caption{caption-side:top;text-align:left;color:var(--mute);font-size:.9rem;padding:.2rem 0 .4rem;
max-width:46rem}
th,td{border-bottom:1px solid var(--rule);padding:.35rem .7rem;text-align:left;vertical-align:top}
thead th{border-bottom:2px solid var(--mute);white-space:nowrap}
tbody th{font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.verdict{white-space:nowrap}
.gap{color:var(--mute);font-style:italic;white-space:nowrap}
td{overflow-wrap:break-word;max-width:34rem}
td:last-child:not(.number):not(.gap):not(.verdict){min-width:11rem}
pre{background:var(--band);border:1px solid var(--rule);padding:.7rem;overflow:auto;
max-height:28rem;font-size:.85rem;line-height:1.45}
summary{cursor:pointer;margin:.6rem 0;color:var(--link)}
figure{margin:1rem 0 1.6rem;overflow-x:auto}.plot{width:100%;min-width:40rem}
.plot .infolayer text,.plot .cartesianlayer text{fill:var(--ink)!important}
noscript svg{max-width:100%;height:auto}
footer{margin:3rem auto 2rem;color:var(--mute);font-size:.9rem}
@media (max-width:40rem){header,main,footer,nav{padding:0 1rem}table{width:max-content}
td,tbody th{max-width:15rem}}
@media print{@page{margin:14mm}body{font-size:10.5pt}header,main,footer{padding:0;max-width:none}
nav,.modebar-container,.skip{display:none!important}h2{break-after:avoid}
h3,caption{break-after:avoid}figure,tr,.verdicts li{break-inside:avoid}
pre{max-height:none;white-space:pre-wrap;overflow-wrap:anywhere}.scroll{overflow:visible}
table{font-size:8.5pt;min-width:0}th,td{padding:.2rem .4rem}thead th{white-space:normal}
p,li,caption,figcaption,.note{max-width:none}figure{overflow:visible}.plot{min-width:0}a{color:inherit;text-decoration:none}}
"""

SCRIPT = """
(() => {
  const buttons = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  const places = [];
  for (const block of document.querySelectorAll("script[type='application/json']")) {
    const figure = JSON.parse(block.textContent);
    const place = document.getElementById(block.dataset.for);
    const config = {displaylogo: false, responsive: true, modeBarButtons: [buttons]};
    Plotly.newPlot(place, figure.data, figure.layout, config);
    for (const drawn of place.querySelectorAll("svg")) drawn.setAttribute("aria-hidden", "true");
    places.push(place);
  }
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open])")) {
      part.open = true;
      opened.push(part);
    }
    for (const place of places) Plotly.relayout(place, {autosize: false, width: 680});
  });
  addEventListener("afterprint", () => {
    for (const part of opened.splice(0)) part.open = false;
    for (const place of places) Plotly.relayout(place, {autosize: true, width: null});
  });
})();
"""
