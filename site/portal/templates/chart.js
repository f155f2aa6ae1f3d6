/* Draws one figure of one page of this site with plotly.js. It asks for nothing but that page's figures; the address
   names both. The figures are written beside the page, with every word and digit in its language. */
(function () {
  "use strict";
  var asked = new URLSearchParams(location.search);
  var place = asked.get("page") || "";
  var name = asked.get("chart") || "";
  var box = document.getElementById("chart");
  document.querySelector("a.twin").search = location.search;  // the other language shows the same chart

  function fail() {
    var said = document.createElement("p");
    said.dir = "auto";
    said.textContent = box.dataset.failed;
    box.replaceChildren(said);
  }

  function draw(page) {
    var figure = page.charts[name];
    if (!figure) {
      fail();
      return;
    }
    var layout = figure.layout;
    document.getElementById("title").textContent = layout.title.text;
    document.title = layout.title.text + " · " + document.title;
    var from = document.getElementById("from");
    from.href = place;
    from.textContent = page.title;
    delete layout.title;
    var isBar = figure.data[0].orientation === "h";
    layout.margin = { l: 56, r: 24, t: isBar ? 96 : 32, b: 64 };
    layout.height = isBar ? 190 + 44 * figure.data[0].y.length : 460;
    layout.hovermode = isBar ? "closest" : "x unified";
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: "#17222c" };
    layout.paper_bgcolor = layout.plot_bgcolor = "#fff";
    layout.legend = isBar
      ? { orientation: "h", y: 1.02, yanchor: "bottom", traceorder: "normal" }
      : { orientation: "h", y: -0.2, traceorder: "normal" };
    layout.xaxis.gridcolor = layout.yaxis.gridcolor = "#e2ddd1";
    layout.xaxis.automargin = layout.yaxis.automargin = true;
    box.textContent = "";
    Plotly.newPlot(box, figure.data, layout, {
      displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: true,
      modeBarButtonsToRemove: ["sendDataToCloud", "lasso2d", "select2d"]
    });
  }

  if (!/^([a-z]+\/)?([\w-]+\/)?[\w-]+\.html$/.test(place)) {
    fail();
    return;
  }
  fetch(place.replace(/\.html$/, ".json")).then(function (answer) {
    if (!answer.ok) { throw new Error(String(answer.status)); }
    return answer.json();
  }).then(draw).catch(fail);
})();
