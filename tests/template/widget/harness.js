// What the page becomes in a dashboard, and what a person would see of it. Runs in the browser; the
// result is JSON in #result.

/* global DOMPurify, PAGE, WIDTH */

const problems = [];
const complain = (what, where) => {
  const text = (where?.textContent ?? "").trim().slice(0, 60);
  problems.push(text ? `${what}: “${text}”` : what);
};

// Colours as the browser computed them, over what lies behind them.

const parse = (colour) => {
  const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
  return { rgb: numbers.slice(0, 3), alpha: numbers[3] ?? 1 };
};

const over = (front, back) => front.rgb.map((c, i) => c * front.alpha + back[i] * (1 - front.alpha));

const background = (element) => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) {
    const layer = parse(getComputedStyle(one).backgroundColor);
    if (layer.alpha > 0) layers.push(layer);
    if (layer.alpha === 1) break;
  }
  return layers.reverse().reduce((back, layer) => over(layer, back), [255, 255, 255]);
};

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((c) => {
    const part = c / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a, b) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

const isShown = (element) =>
  element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
  !element.closest("title, style, cwdb-action");

const frame = document.getElementById("frame");
// CloudWatch keeps its own element for clicks, and nothing else that a sanitizer would drop.
frame.innerHTML = DOMPurify.sanitize(PAGE, {
  ADD_TAGS: ["cwdb-action"],
  ADD_ATTR: ["action", "endpoint", "display"],
});
const bounds = frame.getBoundingClientRect();
const all = [...frame.querySelectorAll("*")];

// Text: inside the frame, large enough, and of enough contrast.

let lowest = Infinity;
const texts = [];
const walker = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  const element = node.parentElement;
  if (!node.data.trim() || !isShown(element)) continue;
  texts.push(node.data.trim());
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const box of range.getClientRects()) {
    if (box.left < bounds.left - 0.5 || box.right > bounds.right + 0.5) {
      complain(`text leaves the frame by ${Math.round(box.right - bounds.right)} px`, element);
    }
    if (box.width < 1 || box.height < 1) complain("text without room", element);
  }
  const style = getComputedStyle(element);
  if (parseFloat(style.fontSize) < 11) complain(`text of ${style.fontSize}`, element);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const back = background(element);
  const ratio = contrast(over(parse(colour), back), back);
  lowest = Math.min(lowest, ratio);
  if (ratio < 4.5) complain(`text contrast of ${ratio.toFixed(2)}`, element);
}

// Nothing is wider than its place, and no text lies over another.

for (const element of [frame, ...all]) {
  if (element instanceof HTMLElement && element.scrollWidth > element.clientWidth + 1) {
    const inline = getComputedStyle(element).display === "inline";
    if (!inline && isShown(element)) complain(`${element.tagName} overflows`, element);
  }
}
const labels = [...frame.querySelectorAll("text.axis")].filter(isShown);
labels.map((one) => one.getBoundingClientRect()).reduce((before, box) => {
  if (before && box.left < before.right + 2) complain("names of days lie over one another");
  return box;
}, null);

// Shapes: there, of their state's colour, and to be told from the background.

const shapes = {};
for (const rect of frame.querySelectorAll("tbody rect")) {
  const style = getComputedStyle(rect);
  const box = rect.getBoundingClientRect();
  if (box.right > bounds.right + 0.5) complain("a shape leaves the frame", rect);
  const paint = style.fill === "none" ? style.stroke : style.fill;
  const back = background(rect.closest("svg").parentElement);
  const kind = (shapes[rect.getAttribute("class")] ??= { count: 0, paint, titled: 0 });
  kind.count += 1;
  kind.titled += rect.querySelector("title")?.textContent ? 1 : 0;
  kind.contrast = contrast(over(parse(paint), back), back);
}

const badges = {};
for (const badge of frame.querySelectorAll(".badge")) {
  badges[badge.className.replace("badge ", "")] = getComputedStyle(badge).backgroundColor;
}

document.getElementById("result").textContent = JSON.stringify({
  problems,
  texts,
  shapes,
  badges,
  lowest,
  height: Math.ceil(frame.getBoundingClientRect().height),
  rows: frame.querySelectorAll("tbody tr").length,
  narrow: getComputedStyle(frame.querySelector("tbody tr") ?? frame).display === "block",
  headline: getComputedStyle(frame.querySelector(".headline")).color,
  forbidden: frame.querySelectorAll("script, iframe, use, img, b b").length,
  clicks: [...frame.querySelectorAll("button + cwdb-action")].map((one) => JSON.parse(one.textContent)),
  styled: frame.querySelectorAll("style").length,
});
