/* Comfort only: every page works without this file. ES5, because IE 10 reads it. */
(function () {
  'use strict';
  if (!document.querySelectorAll || !document.addEventListener) { return; }
  var elder = /(^|\s)elder(\s|$)/.test(document.documentElement.className);

  function each(selector, fn) {
    var found = document.querySelectorAll(selector), i;
    for (i = 0; i < found.length; i++) { fn(found[i]); }
  }

  /* The button that sends a code counts down until another may be sent. */
  each('button[data-countdown]', function (button) {
    var left = parseInt(button.getAttribute('data-countdown'), 10), word = button.textContent, timer;
    var note = button.parentNode.parentNode.querySelector('[data-countdown-text]');
    if (!(left > 0)) { return; }
    function show() {
      if (left <= 0) {
        window.clearInterval(timer);
        button.disabled = false;
        button.textContent = word;
        if (note) { note.textContent = '没有收到？可以重新获取验证码'; }
        return;
      }
      button.textContent = left + ' 秒后重发';
      left -= 1;
    }
    button.disabled = true;
    show();
    timer = window.setInterval(show, 1000);
  });

  /* A new captcha without loading the page: its address answers JSON when asked for it. */
  each('a[data-captcha]', function (link) {
    link.addEventListener('click', function (event) {
      var field = link.parentNode.parentNode, request = new XMLHttpRequest();
      var sound = field.querySelector('.captcha-links a[target]');
      event.preventDefault();
      function whole() { window.location.href = link.href; }
      request.open('GET', link.href, true);
      request.setRequestHeader('Accept', 'application/json');
      request.onload = function () {
        var made;
        try { made = JSON.parse(request.responseText); } catch (e) { whole(); return; }
        if (!made || !made.imageUrl) { whole(); return; }
        field.querySelector('input[name=captchaId]').value = made.id;
        field.querySelector('.captcha-image').src = made.imageUrl;
        if (sound && made.audioUrl) { sound.href = made.audioUrl; }
        field.querySelector('input[name=captchaAnswer]').value = '';
        field.querySelector('input[name=captchaAnswer]').focus();
      };
      request.onerror = whole;
      request.send();
    });
  });

  /* A form goes out once; coming back by the browser's button makes it usable again. */
  each('form[method=post]', function (form) {
    var changed = false;
    form.addEventListener('submit', function (event) {
      if (form.getAttribute('data-sent')) { event.preventDefault(); return; }
      form.setAttribute('data-sent', '1');
      changed = false;
      window.setTimeout(function () { form.removeAttribute('data-sent'); }, 10000);
    });
    if (form.getAttribute('data-keep') === null) { return; }
    form.addEventListener('change', function () { changed = true; });
    window.addEventListener('beforeunload', function (event) {
      if (!changed || elder) { return undefined; }
      event.preventDefault();
      event.returnValue = '填写的内容还没有提交';
      return event.returnValue;
    });
  });
  window.addEventListener('pageshow', function () {
    each('form[data-sent]', function (form) { form.removeAttribute('data-sent'); });
  });

  /* After an answer with errors, reading starts at the summary. */
  var errors = document.getElementById('errors');
  if (errors) { errors.focus(); }
}());
