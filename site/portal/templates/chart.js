/* Draws one table of one page of this site with plotly.js. It asks for nothing but that page; the address names both. */
(function () {
  "use strict";
  var asked = new URLSearchParams(location.search);
  var place = asked.get("page") || "";
  var number = Number(asked.get("chart"));
  var box = document.getElementById("chart");
  var words = box.dataset;
  var colours = ["#17222c", "#0b6e69", "#c26a12", "#2b5ea8", "#8a8f94", "#5b9c96"];

  function fail() {
    box.textContent = words.failed;
  }

  /* Persian and Latin digits, separators of both, to a number; NaN where the cell holds words. */
  function read(text) {
    var plain = text.trim().replace(/[\u06f0-\u06f9]/g, function (d) {
      return String(d.charCodeAt(0) - 0x06f0);
    });
    plain = plain.replace(/[\u066c,]/g, "").replace("\u066b", ".");
    return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN;
  }

  /* Marks of the axis in the digits of the page: about five, at 1, 2 or 5 times a power of ten. */
  function marks(highest) {
    var power = Math.pow(10, Math.floor(Math.log10(Math.max(highest, 5) / 5)));
    var step = [1, 2, 5, 10].map(function (n) { return n * power; }).find(function (n) { return n * 6 >= highest; });
    var values = [];
    for (var at = 0; at <= highest + step / 2; at += step) { values.push(at); }
    var locale = document.documentElement.lang === "fa" ? "fa-IR" : "en";
    return { values: values, texts: values.map(function (v) { return v.toLocaleString(locale); }) };
  }

  function texts(nodes) {
    return Array.prototype.map.call(nodes, function (node) {
      return node.textContent.trim();
    });
  }

  function draw(page) {
    var table = page.querySelectorAll("details.table")[number];
    if (!table) {
      fail();
      return;
    }
    var heads = texts(table.querySelectorAll("thead th"));
    var rows = Array.prototype.map.call(table.querySelectorAll("tbody tr"), function (row) {
      return texts(row.children);
    });
    var names = rows.map(function (row) {
      return row[0];
    });
    var axis = marks(Math.max.apply(null, rows.map(function (row) {
      return Math.max.apply(null, row.slice(1).map(function (cell) { return read(cell) || 0; }));
    })));
    var isTime = asked.get("kind") === "time";
    var traces = heads.slice(1).map(function (head, at) {
      var values = rows.map(function (row) {
        return read(row[at + 1] || "");
      });
      return {
        name: head, x: names, y: values.map(function (v) { return isNaN(v) ? null : v; }),
        text: rows.map(function (row) { return row[at + 1] || ""; }), textposition: "none",
        hovertemplate: "%{text} %{fullData.name}<extra></extra>",
        type: isTime ? "scatter" : "bar", mode: "lines+markers",
        line: { color: colours[at % colours.length], dash: at ? "solid" : "dot" },
        marker: { color: colours[at % colours.length] }
      };
    });
    var title = table.querySelector("[aria-label]").getAttribute("aria-label");
    document.getElementById("title").textContent = title;
    var from = document.getElementById("from");
    from.href = place;
    from.textContent = (page.querySelector("h1 .body-name") || page.querySelector("h1")).textContent;
    box.textContent = "";
    Plotly.newPlot(box, traces, {
      margin: { l: 56, r: 16, t: 16, b: 88 }, height: 460, barmode: "group", hovermode: "x unified",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "#17222c" },
      paper_bgcolor: "#fff", plot_bgcolor: "#fff", legend: { orientation: "h", y: 1.12 },
      xaxis: { type: "category", tickangle: -60, automargin: true },
      yaxis: { rangemode: "tozero", gridcolor: "#e2ddd1", tickvals: axis.values, ticktext: axis.texts }
    }, { displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: true,
      modeBarButtonsToRemove: ["sendDataToCloud", "lasso2d", "select2d"] });
  }

  if (!/^[a-z]+\/[\w-]+\/[\w-]+\.html$|^[\w-]+(\/[\w-]+)?\.html$/.test(place) || !(number >= 0)) {
    fail();
    return;
  }
  fetch(place).then(function (answer) {
    if (!answer.ok) { throw new Error(String(answer.status)); }
    return answer.text();
  }).then(function (text) {
    draw(new DOMParser().parseFromString(text, "text/html"));
  }).catch(fail);
})();
