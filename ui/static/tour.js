// Whether this browser was shown the tour: about whoever sits at it, so it outlives the tab.
const NAME = "secondchair.toured";

export default function ({ parentElement, data, setStateValue }) {
  if (data.toured) localStorage.setItem(NAME, "1");
  else if (!localStorage.getItem(NAME) && !parentElement.reported) {
    parentElement.reported = true;
    setStateValue("newcomer", true);
  }
}
