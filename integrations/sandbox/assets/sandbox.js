// Refreshes the part of a page marked data-refresh, so that new messages appear by themselves. Pages work without it.
(function () {
  var live = document.querySelector('[data-refresh]');
  if (!live || !window.fetch || !window.DOMParser) { return; }
  function open() {
    return live.querySelector('details[open]') !== null;
  }
  setInterval(function () {
    if (document.hidden || open()) { return; }
    fetch(location.href, { credentials: 'same-origin' }).then(function (res) {
      return res.ok ? res.text() : '';
    }).then(function (text) {
      var fresh = text && new DOMParser().parseFromString(text, 'text/html').getElementById(live.id);
      if (fresh && fresh.innerHTML !== live.innerHTML) { live.innerHTML = fresh.innerHTML; }
    }).catch(function () { /* the next round tries again */ });
  }, Number(live.getAttribute('data-refresh')));
}());
