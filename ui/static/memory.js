// Development sign-in survives a refresh of this tab, and nothing else.
const NAME = "secondchair.token";

export default function ({ parentElement, data, setStateValue }) {
  if (data.forget) sessionStorage.removeItem(NAME);
  else if (data.keep) sessionStorage.setItem(NAME, data.keep);
  else {
    const kept = sessionStorage.getItem(NAME);
    if (kept && !parentElement.reported) {
      parentElement.reported = true;
      setStateValue("token", kept);
    }
  }
}
