// Starts Swagger UI from the data of its element: the content security policy allows no inline script.
"use strict";

addEventListener("DOMContentLoaded", () => {
  const { schemaUrl, settings, csrfHeader, csrfToken } = document.getElementById("swagger-ui").dataset;
  window.SwaggerUIBundle({
    url: schemaUrl,
    dom_id: "#swagger-ui",
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    ...JSON.parse(settings),
    requestInterceptor: (request) => {
      const isOurs = new URL(request.url, location.href).origin === location.origin;
      if (isOurs && request.method && request.method !== "GET") request.headers[csrfHeader] = csrfToken;
      return request;
    },
  });
});
