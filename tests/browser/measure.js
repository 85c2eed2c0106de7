// What can only be seen once a page is laid out. Every answer is opened first.
(() => {
  document.querySelectorAll("details").forEach((details) => { details.open = true; });

  const about = (element) => {
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 50);
    return `${element.tagName.toLowerCase()}.${element.getAttribute("class") || ""} "${text}"`;
  };
  const visible = (element) => element.checkVisibility({ contentVisibilityAuto: true });

  // --- overflow: each piece of text, unless a box around it scrolls ---
  const scrolls = (element) => {
    for (let at = element; at !== document.body; at = at.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return at;
    }
    return null;
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.textContent.trim() && visible(node.parentElement)) texts.push(node);
  }
  const box = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  };
  const width = document.documentElement.clientWidth;
  const beyond = [];
  for (const node of texts) {
    const { left, right } = box(node);
    const scroller = scrolls(node.parentElement);
    if (!scroller && (right > width + 0.5 || left < -0.5)) beyond.push(about(node.parentElement));
  }
  // What scrolls must itself lie within the page.
  for (const element of document.querySelectorAll(".wide, .working, pre, svg, figure")) {
    if (!visible(element)) continue;
    const { left, right } = element.getBoundingClientRect();
    if (right > width + 0.5 || left < -0.5) beyond.push(about(element));
  }

  // --- contrast: the ratio of WCAG between a text and what lies behind it ---
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255, 255];
  };
  const ratios = new Map();
  for (const node of texts) {
    const element = node.parentElement;
    const drawn = element.closest("svg") && element.namespaceURI.endsWith("svg");
    const style = getComputedStyle(element);
    const front = luminance(channels(drawn ? style.fill : style.color));
    const back = luminance(behind(element));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const key = about(element);
    if (!ratios.has(key) || ratios.get(key) > ratio) ratios.set(key, ratio);
  }
  const faint = [...ratios].filter(([, ratio]) => ratio < 4.5);

  // --- pictures and formulas ---
  const empty = [];
  for (const element of document.querySelectorAll("math, svg")) {
    const { width: w, height: h } = element.getBoundingClientRect();
    if (visible(element) && (w < 2 || h < 2)) empty.push(about(element));
  }
  const cut = [];
  const crossing = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const labels = [...svg.querySelectorAll("text")].map((t) => [t, t.getBoundingClientRect()]);
    labels.forEach(([text, a], place) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1
        || a.top < frame.top - 1 || a.bottom > frame.bottom + 1) cut.push(about(text));
      for (const [other, b] of labels.slice(place + 1)) {
        // Boxes of letters have room above and below that nothing is drawn in.
        const slack = Math.min(a.height, b.height) * 0.3;
        if (a.left < b.right && b.left < a.right
          && a.top + slack < b.bottom && b.top + slack < a.bottom) {
          crossing.push(`${about(text)} and ${about(other)}`);
        }
      }
    });
  }
  const smallest = Math.min(...[...document.querySelectorAll("svg text")]
    .map((text) => parseFloat(getComputedStyle(text).fontSize)
      * text.closest("svg").getBoundingClientRect().width
      / text.closest("svg").viewBox.baseVal.width));

  return {
    width,
    scrollWidth: document.documentElement.scrollWidth,
    texts: texts.length,
    formulas: document.querySelectorAll("math").length,
    pictures: document.querySelectorAll("svg").length,
    scrolling: [...document.querySelectorAll(".wide, .working, pre")]
      .filter((element) => visible(element) && element.scrollWidth > element.clientWidth + 1)
      .map(about),
    beyond, faint, empty, cut, crossing, smallest,
    headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(visible)
      .map((heading) => Number(heading.tagName[1])),
    fetched: performance.getEntriesByType("resource").map((entry) => entry.name),
  };
})()
