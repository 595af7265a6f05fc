// The map that moves: the same tickets as the picture and the table, from this server alone. The page works without it.
(function () {
  "use strict";

  var box = document.getElementById("map");
  if (!box || !window.L || !L.markerClusterGroup) {
    return;
  }
  var LOOKS = ["emergency", "late", "urgent", "open", "ended"];
  var SHAPES = "http://www.w3.org/2000/svg";
  var chosenBox = document.getElementById("map-chosen");
  var selectButton = document.getElementById("map-select");
  var map, group, data, home;

  fetch(box.dataset.source, { credentials: "same-origin" })
    .then(function (answer) {
      if (!answer.ok || answer.redirected) {
        throw new Error(String(answer.status));
      }
      return answer.json();
    })
    .then(function (found) {
      data = found;
      draw();
    })
    .catch(function () {
      var problem = document.getElementById("map-problem");
      box.hidden = true;
      document.getElementById("still-map").hidden = false;
      problem.textContent = box.dataset.failed;
      problem.hidden = false;
    });

  function words(name, number) {
    return box.dataset[name].replace("{n}", number);
  }

  // ---- drawing ----

  function draw() {
    var view = L.latLngBounds([data.view[0], data.view[1]], [data.view[2], data.view[3]]);
    box.hidden = false;
    document.getElementById("map-tools").hidden = false;
    map = L.map(box, {
      attributionControl: false, zoomControl: false, zoomSnap: 0.25, maxZoom: 19, maxBounds: view.pad(0.5),
      zoomAnimation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    L.control.zoom({ zoomInTitle: box.dataset.in, zoomOutTitle: box.dataset.out }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    home = L.polygon(data.own).getBounds();
    map.fitBounds(home, { padding: [24, 24] });
    map.setMinZoom(Math.floor(map.getZoom()) - 1); // whole: beneath another, the library shows no ticket that stands alone
    map.createPane("names").classList.add("names"); // beneath the tickets
    drawBorders();
    nameFrom(map.getZoom() + 1);
    drawTickets();
    // The picture keeps the shapes that pins use; it only leaves the page's sight.
    document.getElementById("still-map").classList.add("unseen");
    document.getElementById("still-map").setAttribute("aria-hidden", "true");
    document.getElementById("map-home").addEventListener("click", function () {
      map.fitBounds(home, { padding: [24, 24] });
    });
    selectButton.addEventListener("click", function () {
      selecting(selectButton.getAttribute("aria-pressed") !== "true");
    });
    box.addEventListener("keydown", function (event) {
      if (event.key === "Escape") {
        selecting(false);
      }
    });
    box.addEventListener("pointerdown", startFrame);
  }

  function drawBorders() {
    data.around.forEach(function (one) {
      L.polygon(one[1], { className: "border-around", interactive: false })
        .bindTooltip(nameTag(one[0]), { permanent: true, direction: "center", className: "name", pane: "names" })
        .addTo(map);
    });
    L.polygon(data.own, { className: "border-own", interactive: false }).addTo(map);
    data.names.forEach(function (one) {
      L.tooltip({ permanent: true, direction: "top", className: "name name-of-place", pane: "names", offset: [0, -12] })
        .setLatLng([one[1], one[2]]).setContent(nameTag(one[0]))
        .addTo(map);
    });
  }

  // The whole commune has no room for the names of its places.
  function nameFrom(zoom) {
    function look() {
      box.classList.toggle("is-near", map.getZoom() >= zoom);
    }
    map.on("zoomend", look);
    look();
  }

  function nameTag(name) {
    var made = document.createElement("span");
    made.textContent = name;
    return made;
  }

  function drawTickets() {
    group = L.markerClusterGroup({
      maxClusterRadius: 48, showCoverageOnHover: false, zoomToBoundsOnClick: false, spiderfyOnMaxZoom: false,
      chunkedLoading: true, animate: map.options.zoomAnimation, iconCreateFunction: bunch,
    });
    group.addLayers(data.pins.map(marker));
    group.on("clusterclick clusterkeypress", function (event) {
      var key = event.originalEvent.key;
      if (event.type === "clusterclick" || key === "Enter" || key === " ") {
        choose(event.layer.getAllChildMarkers().map(ticketOf), event.layer);
      }
    });
    map.addLayer(group);
  }

  var target = window.matchMedia("(pointer: coarse)").matches ? 44 : 28; // as wide as what points at it

  function marker(pin) {
    var made = L.marker([pin[2] / 1e4, pin[3] / 1e4], {
      icon: L.divIcon({ className: "pin" + (pin[7] ? " is-rough" : ""), html: shape(pin[4]), iconSize: [target, target] }),
      title: pin[1] + " · " + data.looks[pin[4]] + " · " + data.topics[pin[5]],
      riseOnHover: true,
    });
    made.ticket = pin;
    made.bindPopup(function () {
      return about(pin);
    }, { closeButton: true });
    return made;
  }

  function shape(look) {
    var svg = document.createElementNS(SHAPES, "svg");
    var use = document.createElementNS(SHAPES, "use");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", "#shape-" + LOOKS[look]);
    use.setAttribute("width", "20");
    use.setAttribute("height", "20");
    svg.appendChild(use);
    return svg;
  }

  function bunch(cluster) {
    var tickets = cluster.getAllChildMarkers().map(ticketOf);
    var worst = Math.min.apply(null, tickets.map(function (pin) { return pin[4]; }));
    var size = Math.min(64, 44 + Math.round(4 * Math.log(tickets.length)));
    var label = document.createElement("span");
    label.textContent = tickets.length;
    cluster.options.title = words("cluster", tickets.length) + " · " + data.looks[worst];
    return L.divIcon({ className: "bunch bunch-" + LOOKS[worst], html: label, iconSize: [size, size] });
  }

  function ticketOf(one) {
    return one.ticket;
  }

  function about(pin) {
    var said = document.createElement("div");
    [data.topics[pin[5]], data.states[pin[6]] + " · " + data.looks[pin[4]], pin[7] ? box.dataset.rough : ""]
      .filter(Boolean).forEach(function (line) {
        said.appendChild(document.createElement("p")).textContent = line;
      });
    said.insertBefore(link("/tickets/" + pin[0] + "?view=all", pin[1]), said.firstChild);
    return said;
  }

  function link(address, label) {
    var made = document.createElement("a");
    made.href = address;
    made.textContent = label;
    return made;
  }

  // ---- choosing ----

  function choose(tickets, cluster) {
    var ids = tickets.map(function (pin) { return pin[0]; });
    var most = Number(box.dataset.most);
    chosenBox.textContent = "";
    chosenBox.hidden = false;
    chosenBox.appendChild(document.createElement("h2")).textContent =
      ids.length ? words("chosen", ids.length) : box.dataset.none;
    if (!ids.length) {
      return;
    }
    var list = chosenBox.appendChild(document.createElement("ul"));
    tickets.slice(0, 12).forEach(function (pin) {
      list.appendChild(document.createElement("li"))
        .appendChild(link("/tickets/" + pin[0] + "?view=all&ids=" + ids.slice(0, most).join(","), pin[1]));
    });
    if (ids.length > 12) {
      list.appendChild(document.createElement("li")).textContent = words("more", ids.length - 12);
    }
    var deeds = chosenBox.appendChild(document.createElement("p"));
    deeds.className = "buttons";
    if (ids.length <= most) {
      var open = link("/tickets?view=all&ids=" + ids.join(","), words("list", ids.length));
      open.className = "button";
      deeds.appendChild(open);
    } else {
      deeds.textContent = words("many", most);
    }
    if (cluster) {
      var closer = document.createElement("button");
      closer.type = "button";
      closer.className = "second";
      closer.textContent = box.dataset.in;
      closer.addEventListener("click", function () {
        comeCloser(cluster);
      });
      deeds.appendChild(closer);
    }
  }

  function comeCloser(cluster) {
    var bounds = cluster.getBounds();
    if (map.getZoom() >= map.getMaxZoom() || bounds.getNorthEast().equals(bounds.getSouthWest())) {
      cluster.spiderfy();
      return;
    }
    map.fitBounds(bounds, { padding: [40, 40] });
  }

  // ---- a frame ----

  var frame = null;

  function selecting(isOn) {
    selectButton.setAttribute("aria-pressed", String(isOn));
    box.classList.toggle("is-selecting", isOn);
    map.dragging[isOn ? "disable" : "enable"]();
    map.touchZoom[isOn ? "disable" : "enable"]();
    if (!isOn && frame) {
      frame.element.remove();
      frame = null;
    }
  }

  function startFrame(event) {
    if (selectButton.getAttribute("aria-pressed") !== "true" || !event.pointerId || event.target.closest(".leaflet-control")) {
      return;
    }
    event.preventDefault();
    box.setPointerCapture(event.pointerId);
    var element = document.createElement("div");
    element.className = "frame";
    box.appendChild(element);
    frame = { element: element, from: map.mouseEventToContainerPoint(event) };
    box.addEventListener("pointermove", moveFrame);
    box.addEventListener("pointerup", endFrame, { once: true });
    box.addEventListener("pointercancel", endFrame, { once: true });
  }

  function moveFrame(event) {
    if (!frame) {
      return;
    }
    var to = map.mouseEventToContainerPoint(event);
    var style = frame.element.style;
    style.left = Math.min(frame.from.x, to.x) + "px";
    style.top = Math.min(frame.from.y, to.y) + "px";
    style.width = Math.abs(frame.from.x - to.x) + "px";
    style.height = Math.abs(frame.from.y - to.y) + "px";
  }

  function endFrame(event) {
    box.removeEventListener("pointermove", moveFrame);
    if (!frame) {
      return;
    }
    var bounds = L.latLngBounds(
      map.containerPointToLatLng(frame.from), map.containerPointToLatLng(map.mouseEventToContainerPoint(event)));
    selecting(false);
    if (event.type === "pointerup") {
      choose(data.pins.filter(function (pin) {
        return bounds.contains([pin[2] / 1e4, pin[3] / 1e4]);
      }));
    }
  }
})();
