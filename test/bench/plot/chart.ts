/** One line of a chart: its points, by size. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  /** Ours first. */
  readonly series: readonly Series[];
}

export const chartSize = { width: 340, height: 250 } as const;
const margin = { left: 58, right: 14, top: 44, bottom: 34 } as const;
const colors = ["#0b7a75", "#b4532a"];

/** Both axes are logarithmic: what grows with the number of revocations rises, what does not stays level. */
export function renderChart({ title, unit, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const x = scaleOf(
    points.map((point) => point.x),
    [margin.left, chartSize.width - margin.right],
  );
  const y = scaleOf(
    points.map((point) => point.y),
    [chartSize.height - margin.bottom, margin.top],
  );
  return [
    text(margin.left, 16, `${title}, ${unit}`, 'font-weight="600"'),
    ...series.map(({ name }, at) => legend(name, at)),
    ...x.ticks.map((tick) => vertical(x.at(tick), powerText(tick))),
    ...y.ticks.map((tick) => horizontal(y.at(tick), powerText(tick))),
    ...series.map((one, at) => line(one, { x: x.at, y: y.at, color: colors[at] ?? "#666" })),
  ].join("\n");
}

interface Scale {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

/** From the power of ten below the least to the one above the greatest. */
function scaleOf(values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const lowest = Math.floor(Math.log10(Math.min(...values)));
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...values))));
  const step = Math.ceil((highest - lowest) / 5);
  const ticks = Array.from(
    { length: Math.floor((highest - lowest) / step) + 1 },
    (_, at) => 10 ** (lowest + at * step),
  );
  return { ticks, at: (value) => from + ((Math.log10(value) - lowest) / (highest - lowest)) * (to - from) };
}

function line(
  { points }: Series,
  { x, y, color }: { x: (value: number) => number; y: (value: number) => number; color: string },
): string {
  const placed = points.map((point) => [x(point.x).toFixed(1), y(point.y).toFixed(1)] as const);
  const dots = placed.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
  const path = placed.map((place) => place.join(",")).join(" ");
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}`;
}

function legend(name: string, at: number): string {
  const place = margin.left + at * 140;
  const mark = `<rect x="${place}" y="24" width="10" height="10" fill="${colors[at] ?? "#666"}"/>`;
  return `${mark}${text(place + 14, 33, name)}`;
}

function vertical(x: number, label: string): string {
  const [top, bottom] = [margin.top, chartSize.height - margin.bottom];
  return `<path d="M${x.toFixed(1)} ${top}V${bottom}" stroke="#ddd"/>${text(x, bottom + 16, label, 'text-anchor="middle"')}`;
}

function horizontal(y: number, label: string): string {
  const [left, right] = [margin.left, chartSize.width - margin.right];
  return `<path d="M${left} ${y.toFixed(1)}H${right}" stroke="#ddd"/>${text(left - 6, y + 4, label, 'text-anchor="end"')}`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}

function powerText(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}
