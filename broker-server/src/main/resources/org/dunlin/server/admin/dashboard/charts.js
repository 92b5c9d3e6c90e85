// Charts over time, by uPlot. Each says its last values in words, too, and has them as a table.

import { el, fill } from "./dom.js";
import { time } from "./format.js";

const HEIGHT = 170;
/** Points that the table below a chart shows. */
const LAST = 10;

/** A colour of the style sheet as a canvas can take it. */
function colour(name) {
  const probe = el("span", { class: `colour-${name}` });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/**
 * @param series {label, colour: 1 or 2, value(point), format(number), steps: of the axis, if not the usual}
 * @returns an element; `update(points)` takes points with a time `at`
 */
export function chart(page, title, series) {
  const canvas = el("div", { class: "canvas", role: "img", "aria-label": title });
  const key = el(
    "p",
    { class: "key" },
    series.map((each) => [
      el("span", { class: `dot colour-series${each.colour}` }),
      `${each.label} `,
      el("b", {}, "–"),
      " ",
    ]),
  );
  const numbers = el("tbody");
  const holder = el(
    "figure",
    { class: "chart" },
    el("figcaption", {}, title),
    key,
    canvas,
    el(
      "details",
      {},
      el("summary", {}, "As numbers"),
      el(
        "table",
        { class: "small" },
        el("caption", { class: "unseen" }, `${title}, the last values`),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("th", { scope: "col" }, "Time"),
            series.map((each) => el("th", { scope: "col" }, each.label)),
          ),
        ),
        numbers,
      ),
    ),
  );
  let drawn = null;
  let data = [[], ...series.map(() => [])];

  function draw() {
    drawn?.destroy();
    drawn = null;
    if (canvas.clientWidth === 0) return;
    const axis = {
      stroke: colour("quiet"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui",
    };
    drawn = new window.uPlot(
      {
        width: canvas.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.1)] } },
        axes: [
          {
            ...axis,
            space: 70,
            size: 30,
            values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString("en-GB")),
          },
          {
            ...axis,
            size: 62,
            incrs: series[0].steps,
            values: (_, ticks) => ticks.map((tick) => series[0].format(tick)),
          },
        ],
        series: [
          {},
          ...series.map((each) => ({
            label: each.label,
            stroke: colour(`series${each.colour}`),
            width: 2,
            dash: each.colour === 2 ? [6, 3] : undefined,
            points: { show: false },
          })),
        ],
      },
      data,
      canvas,
    );
  }

  holder.update = (points) => {
    data = [
      points.map((point) => new Date(point.at).getTime() / 1000),
      ...series.map((each) => points.map((point) => each.value(point))),
    ];
    if (drawn) drawn.setData(data);
    else draw();
    const last = points[points.length - 1];
    if (!last) return;
    key.querySelectorAll("b").forEach((place, i) => fill(place, series[i].format(series[i].value(last))));
    const said = series.map((each) => `${each.label} ${each.format(each.value(last))}`).join(", ");
    canvas.setAttribute("aria-label", `${title}: ${said}`);
    fill(
      numbers,
      points
        .slice(-LAST)
        .reverse()
        .map((point) =>
          el(
            "tr",
            {},
            el("td", {}, time(point.at)),
            series.map((each) => el("td", {}, each.format(each.value(point)))),
          ),
        ),
    );
  };

  const resized = new ResizeObserver(() => drawn?.setSize({ width: canvas.clientWidth, height: HEIGHT }) ?? draw());
  resized.observe(canvas);
  page.signal.addEventListener("abort", () => (resized.disconnect(), drawn?.destroy()));
  addEventListener("themechange", draw, { signal: page.signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal: page.signal });
  return holder;
}
