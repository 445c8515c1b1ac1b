// What is wrong with a page for people, as a list of sentences. It looks at the page as it is drawn.
(() => {
  const faults = [];
  const fault = (text, el) => faults.push(el ? `${text}: ${el.outerHTML.slice(0, 110)}` : text);
  const all = selector => [...document.querySelectorAll(selector)];
  const drawn = el => el.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // The frame: language, title, landmarks, headings in order.
  if (!document.documentElement.lang) fault("no language");
  if (!document.title) fault("no title");
  for (const name of ["main"]) if (all(name).length !== 1) fault(`${all(name).length} ${name} landmarks`);
  const small = document.body.classList.contains("small-page");
  if (!small && (all("header.top").length !== 1 || all("footer").length !== 1)) fault("no header or footer");
  for (const nav of all("nav")) if (!nav.getAttribute("aria-label")) fault("a nav without a name", nav);
  if (!small && all("nav a[aria-current=page]").length > 1) fault("more than one current page");
  let before = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6")) {
    const level = Number(h.nodeName[1]);
    if (level > before + 1) fault("a heading that skips a level", h);
    before = level;
  }
  if (all("h1").length !== 1) fault(`${all("h1").length} headings of the first level`);
  const outside = all("body *").filter(el => el.childElementCount === 0 && el.textContent.trim() && drawn(el) && !el.closest("main,header,footer,nav,.skip,#said,script,style"));
  for (const el of outside) fault("text outside of the landmarks", el);

  // Every control has a name; every id is there once; references lead somewhere.
  const name = el => {
    const by = el.getAttribute("aria-labelledby");
    if (by) return by.split(/\s+/).map(id => document.getElementById(id)?.textContent || "").join(" ").trim();
    return (el.getAttribute("aria-label") || [...(el.labels || [])].map(l => l.textContent).join(" ") || el.textContent || el.getAttribute("title") || "").trim();
  };
  for (const el of all("a[href],button,input:not([type=hidden]),select,textarea,summary,[role=region],section,article")) {
    if (el.closest("[aria-hidden=true]")) { if (el.tabIndex >= 0 && el.matches("a,button,input")) fault("a control that is hidden and can be reached", el); continue; }
    if (el.matches("section,article") && !el.hasAttribute("aria-labelledby") && !el.hasAttribute("aria-label")) { if (!el.hasAttribute("role")) fault("a section without a name", el); continue; }
    if (!name(el)) fault("no name", el);
    if (el.hasAttribute("aria-label") && el.matches("button,a") && el.textContent.trim() && !el.getAttribute("aria-label").toLowerCase().includes(el.textContent.trim().toLowerCase().split(" ")[0]))
      fault("its name is not what is seen", el);
  }
  for (const img of all("img")) if (!img.hasAttribute("alt")) fault("a picture without alt", img);
  for (const img of all("img")) if (!img.naturalWidth) fault("a picture that did not load", img);
  const ids = new Map();
  for (const el of all("[id]")) { if (ids.has(el.id)) fault("an id that is there twice", el); ids.set(el.id, el); }
  for (const el of all("[aria-labelledby],[aria-describedby],label[for]"))
    for (const id of [el.getAttribute("aria-labelledby"), el.getAttribute("aria-describedby"), el.getAttribute("for")].filter(Boolean).join(" ").split(/\s+/))
      if (!ids.has(id)) fault(`"${id}" is not there`, el);
  for (const a of all('a[href^="#"]')) if (!ids.has(a.getAttribute("href").slice(1))) fault("a link that leads nowhere", a);
  for (const table of all("table")) if (!table.querySelector("thead th[scope=col]")) fault("a table without headings", table);
  for (const el of all("[aria-live]:not([aria-live=polite])")) fault("it interrupts", el);

  // Nothing from outside has become markup, script or an address of a script.
  for (const el of all("body *")) for (const a of el.attributes) if (/^on/i.test(a.name)) fault("an attribute that runs", el);
  for (const el of all("[href],[src],[action]"))
    for (const a of ["href", "src", "action"]) if (el.hasAttribute(a) && !/^(\/(?!\/)|#|https?:\/\/10\.0\.0\.\d)/.test(el.getAttribute(a))) fault("it leads elsewhere", el);
  for (const el of all("script:not([src]),style,[style],iframe,object,embed")) fault("it does not belong here", el);

  // Nothing is cut off, and nothing makes the page wider than the window.
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    const wide = all("body *").filter(el => el.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !el.closest(".table"));
    fault(`the page is ${document.documentElement.scrollWidth} wide in a window of ${document.documentElement.clientWidth}`, wide.at(-1));
  }
  for (const el of all(".table")) if (innerWidth < 500 && drawn(el) && el.scrollWidth > el.clientWidth) fault(`a table that is ${el.scrollWidth} wide in a window of ${innerWidth}`, el);
  for (const el of all("[role=alert]")) {
    const said = el.textContent.trim();
    if (/^[a-z]{2}/.test(said) || !/[.!?:]$/.test(said)) fault("what went wrong is not told in a sentence", el);
  }
  for (const el of all("button,.pages a,summary")) {
    const r = el.getBoundingClientRect();
    if (drawn(el) && (r.height < 24 || r.width < 24) && !el.matches("summary")) fault(`a target of ${Math.round(r.width)} × ${Math.round(r.height)} pixels`, el);
  }

  // Contrast of every text with what is drawn behind it, by WCAG 2 AA.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const over = (top, under) => { const a = top[3] / 255; return [0, 1, 2].map(i => top[i] * a + under[i] * (1 - a)); };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = el => {
    const layers = [];
    for (let e = el; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255]);
  };
  const seen = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.nodeValue.trim() || seen.has(el) || !drawn(el) || el.closest(".unseen,.skip,script,style,:disabled")) continue;
    seen.add(el);
    const style = getComputedStyle(el), ground = behind(el), ink = over(rgba(style.color), ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) fault(`a contrast of ${ratio.toFixed(2)}`, el);
    if (size < 12) fault(`letters of ${size} pixels`, el);
  }
  return faults;
})()
