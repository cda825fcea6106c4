// How this reader wants the console, beyond a reload, a sign-out or the way over an organisation's
// page: the server reads the cookie with the next connection. The page says its language, too.
const YEAR_S = 31_536_000;

export default function ({ data }) {
  document.documentElement.lang = data.lang;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.cookie}=${data.kept}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
}
