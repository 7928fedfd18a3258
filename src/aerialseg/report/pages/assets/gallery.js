// The gallery: sorted, filtered, and a layer over each, such as truth, a prediction or its errors.
(() => {
  const data = JSON.parse(document.getElementById("data-gallery").textContent);
  const find = (id) => document.getElementById(id);
  const [list, more, status, viewer] = ["gallery", "more", "status", "viewer"].map(find);
  const PAGE = 24;
  let shown = [], count = PAGE, confusion = null, open = -1;

  const score = (image, key) => key.startsWith("class:") ? image.classes[key.slice(6)] ?? null : image.scores[key] ?? null;
  const confused = (image) => image.confused.find(([truth, predicted]) => truth === confusion.truth && predicted === confusion.predicted)?.[2] ?? 0;
  const layer = () => document.querySelector("input[name=layer]:checked").value;

  const loaded = (source) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = source;
  });
  const pixels = async (source) => {
    const image = await loaded(source);
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  // Layers that are drawn from masks, where something is labelled: a pixel's colour, or false.
  const DRAWN = {
    errors: { from: ["truth", "prediction"], colour: (truth, predicted) => truth !== predicted && [214, 40, 57] },
    one_right: {
      from: ["truth", "a", "b"],
      colour: (truth, a, b) => (a === truth ? b !== truth && [42, 120, 214] : b === truth && [224, 138, 30]),
    },
  };
  const drawLayer = async (canvas, image, { from, colour }) => {
    const masks = await Promise.all(from.map((name) => pixels(image[name])));
    const [truth] = masks;
    canvas.width = truth.width;
    canvas.height = truth.height;
    const result = new ImageData(truth.width, truth.height);
    const values = masks.map((mask) => new Uint32Array(mask.data.buffer));
    for (let i = 0; i < values[0].length; i++) {
      const found = truth.data[4 * i + 3] && colour(...values.map((each) => each[i]));
      if (found) result.data.set([...found, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(result, 0, 0);
  };

  const fill = (view, image) => {
    const photo = new Image(image.width, image.height);
    photo.className = "photo";
    photo.alt = "";
    photo.src = image.photo;
    const parts = [photo], chosen = layer();
    if (DRAWN[chosen]) {
      const canvas = document.createElement("canvas");
      drawLayer(canvas, image, DRAWN[chosen]);
      parts.push(canvas);
    } else if (chosen !== "photo") {
      const over = new Image();
      over.alt = "";
      over.src = image[chosen];
      parts.push(over);
    }
    if (parts[1]) parts[1].style.opacity = find("opacity").value / 100;
    view.replaceChildren(...parts);
  };

  // Hundreds of images would hold up every choice, so each is drawn when it comes near the screen.
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !target.isConnected) continue;
      near.unobserve(target);
      fill(target, shown[target.dataset.index]);
    }
  }, { rootMargin: "600px" });
  const views = () => list.querySelectorAll(".view");

  const text = (value) => value === null ? "–" : value.toFixed(3);
  const named = (image, names) => Object.entries(names).map(([key, name]) => `${name} ${text(image.scores[key] ?? null)}`);
  const card = (image, index) => {
    const item = document.createElement("li");
    item.className = "card";
    const view = document.createElement("button");
    view.type = "button";
    view.className = "view";
    const seen = image.seen_in ? `seen in training: ${image.seen_in}` : "";
    view.setAttribute("aria-label", [`Enlarge ${image.id}`, named(image, data.scores)[0], seen].filter(Boolean).join(", "));
    view.addEventListener("click", () => enlarge(index));
    view.style.aspectRatio = `${image.width} / ${image.height}`;
    view.dataset.index = index;
    near.observe(view);
    const caption = document.createElement("div");
    caption.className = "caption";
    const [name, value] = [document.createElement("span"), document.createElement("span")];
    name.textContent = name.title = image.id;
    value.textContent = confusion ? `${confused(image).toLocaleString()} px` : data.caption ? named(image, data.caption).join(" · ") : text(score(image, find("sort").value));
    caption.append(name, value);
    item.append(view, caption);
    if (seen) {
      const mark = document.createElement("p");
      mark.className = "seen";
      mark.textContent = seen;
      item.append(mark);
    }
    return item;
  };

  const say = () => {
    const images = `${shown.length} of ${data.images.length} images`;
    if (!confusion) {
      status.textContent = images;
      return;
    }
    const [truth, predicted] = [data.classes[confusion.truth], data.classes[confusion.predicted]];
    const clear = document.createElement("button");
    clear.type = "button";
    clear.textContent = "show all";
    clear.addEventListener("click", () => { confusion = null; update(); find("sort").focus(); });
    status.replaceChildren(`${images}, those where ${truth} is predicted as ${predicted}, most pixels first; `, clear);
  };

  const update = () => {
    const [sort, order, wanted] = [find("sort").value, Number(find("order").value), find("class").value];
    const leakage = find("leakage")?.value; // a choice only where images leak
    const kept = (image) => !leakage || (leakage === "seen") === Boolean(image.seen_in);
    shown = data.images.filter((image) => kept(image) && (!wanted || image.present.includes(Number(wanted))) && (!confusion || confused(image)));
    const rank = (image) => score(image, sort) ?? (order > 0 ? Infinity : -Infinity);
    shown.sort(confusion ? (a, b) => confused(b) - confused(a) : (a, b) => order * (rank(a) - rank(b)) || a.id.localeCompare(b.id));
    count = PAGE;
    draw();
    say();
  };
  const draw = () => {
    near.disconnect();
    list.replaceChildren();
    add(0);
  };
  const add = (first) => {
    list.append(...shown.slice(first, count).map((image, index) => card(image, first + index)));
    more.hidden = count >= shown.length;
  };
  const drawAgain = () => {
    for (const view of views()) {
      near.unobserve(view);
      near.observe(view);
    }
  };

  const enlarge = (index) => {
    open = index;
    const image = shown[index];
    find("viewer-title").textContent = image.id;
    fill(find("viewer-image"), image);
    const classes = Object.entries(image.classes).map(([id, value]) => `${data.classes[id]} ${text(value)}`);
    const of_classes = classes.length ? ` IoU: ${classes.join(", ")}.` : "";
    const seen = image.seen_in ? ` Seen in training: ${image.seen_in}.` : "";
    find("viewer-about").textContent = `${named(image, data.scores).join(" · ")}.${of_classes}${seen}`;
    if (image.file) {
      const link = document.createElement("a");
      link.href = image.file;
      link.textContent = "Image at full size";
      find("viewer-about").append(" ", link);
    }
    find("previous").disabled = index === 0;
    find("next").disabled = index === shown.length - 1;
    if (!viewer.open) viewer.showModal();
  };
  const step = (by) => { if (shown[open + by]) enlarge(open + by); };
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  more.addEventListener("click", () => {
    const first = count;
    count += PAGE;
    add(first);
    list.children[first]?.querySelector("button").focus();
  });
  for (const id of ["sort", "order", "class", "leakage"]) find(id)?.addEventListener("change", update);
  for (const radio of document.querySelectorAll("input[name=layer]")) radio.addEventListener("change", drawAgain);
  find("opacity").addEventListener("input", (event) => {
    for (const over of document.querySelectorAll(".view > :nth-child(2)")) over.style.opacity = event.target.value / 100;
  });
  for (const cell of document.querySelectorAll(".matrix button")) {
    cell.addEventListener("click", () => {
      confusion = { truth: Number(cell.dataset.truth), predicted: Number(cell.dataset.predicted) };
      for (const id of ["class", "leakage"]) if (find(id)) find(id).value = "";
      update();
      find("images").scrollIntoView();
      list.querySelector("button")?.focus({ preventScroll: true });
    });
  }
  window.addEventListener("beforeprint", () => { for (const view of views()) fill(view, shown[view.dataset.index]); });
  update();
})();
