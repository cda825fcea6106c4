"""What explains danger away, and what no talk of work, no joke and no past may explain."""

import pytest

from safety.risk import Line, RiskLevel, RiskReport
from safety.screen import RulesLayer


def look(text: str, *before: str) -> RiskReport:
    return RulesLayer().look(text, [Line("client", words) for words in before], "en")


@pytest.mark.parametrize(
    "text",
    [
        "I took an overdose on shift",
        "I overdosed on the ward where I work",
        "my husband beat me because I watched a film",
        "worst shift of my life\nwant to kill myself",
        "worst shift of my life, going to kill myself",
        "导师一直改我论文，想自杀",
        "导师一直改论文\n想自杀",
        "我当班主任，压力太大，想从楼上跳下去",
    ],
)
def test_what_befalls_the_client_or_is_wished_without_an_i_is_no_story(text: str):
    assert look(text).level.at_least(RiskLevel.HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "My patients are lonely and want to die",
        "the song says I hurt myself today",
        "in the film my husband beat me",
        "来访者说压力太大，不想活了",
        "小说里女主被骂，想跳楼",
    ],
)
def test_another_s_wish_and_a_quoted_i_are_still_explained(text: str):
    assert look(text).level is RiskLevel.LOW


@pytest.mark.parametrize(
    ("lately", "before"),
    [
        ("my dad beat me last night like when I was a kid", "my dad beat me when I was a kid"),
        (
            "My ex raped me when I was 30 and now he is outside",
            "My ex raped me when I was 30 and now I help others",
        ),
        ("昨晚我割腕了，小时候也割过", "昨天聊到我小时候割腕"),
        ("高二那年我想死，现在也是", "高二那年我想死"),
    ],
)
def test_what_happened_lately_is_not_long_ago(lately: str, before: str):
    assert look(lately).routes
    assert look(before).level is RiskLevel.LOW


def test_an_everyday_word_makes_no_joke_of_an_act_or_of_harm():
    assert look("He held a knife to my throat because of the remote").routes
    assert look("I've got the rope ready, homework is pointless now").routes
    assert not look("I could kill my brother, he ate my leftovers").routes


@pytest.mark.parametrize(
    ("text", "lied"),
    [
        ("I'm not suicidal.", " I lied."),
        ("I told my therapist I don't want to die", " but I lied"),
        ("He never hit me.", " That was a lie."),
        ("我跟医生说我不想死", "，我没说实话"),
        ("我不想自杀。", "我骗医生的"),
    ],
)
def test_a_denial_that_was_a_lie_explains_nothing(text: str, lied: str):
    assert not look(text).routes
    assert look(text + lied).routes


@pytest.mark.parametrize(
    "text",
    [
        "I'm not suicidal. I lied about being sick.",
        "I'm not suicidal. I was lying in bed all day.",
        "I'm not suicidal, but my marriage is over because I lied.",
        "I'm not thinking of suicide. They say I'm lazy, it's not true.",
        "我不想死。我骗老师说我病了",
        "我不想死。我骗了老师，没交作业。",
        "我从来没有自残过。那是假的消息。",
    ],
)
def test_a_lie_about_something_else_takes_no_denial_back(text: str):
    assert not look(text).routes


@pytest.mark.parametrize(
    "text",
    [
        "My dad beat me as a child, and now he's in a care home",
        "I used to cut myself and now I want to be a nurse",
        "以前想过自杀，现在只想好好工作",
        "十年前我自杀过，现在越来越开朗",
        "小时候爸爸打我，长大后我原谅他了",
    ],
)
def test_what_got_better_is_long_ago(text: str):
    assert not look(text).routes


@pytest.mark.parametrize(
    ("danger", "calm"),
    [
        ("I just took the whole weeks pills", "I just took the whole week off"),
        ("I just took all the night time ones", "I just took all the night shifts"),
        ("Goodbye world, see you tomorrow on the other side", "Goodbye everyone, see you tomorrow"),
    ],
)
def test_what_is_everyday_is_told_by_what_follows(danger: str, calm: str):
    assert look(danger).level is RiskLevel.IMMINENT
    assert not look(calm).routes


@pytest.mark.parametrize(
    ("calm", "danger"),
    [
        ("我坐在天台看星星", "我坐在天台看星星，对不起爸妈"),
        ("我站在桥上拍照", "我站在桥上"),
        ("把那些糖都吃了", "把剩下的药都吃了，喝了好多水"),
        ("吃了一整盒巧克力", "吃了一整盒，晚饭没吃"),
        ("今天我早点走，去接孩子", "我想早点走，不拖累孩子"),
    ],
)
def test_a_pastime_a_meal_or_an_errand_explains_only_where_nothing_grave_is_said(
    calm: str, danger: str
):
    assert look(danger).routes
    assert not look(calm).routes
    assert look(calm, "我不想活了").routes
    assert look(calm, "我攒了一百片药").routes


@pytest.mark.parametrize(
    "text",
    [
        "My husband beats me. There is a court order about the children.",
        "My partner hits me when he drinks. My mum died years ago so I have nobody.",
        "My boyfriend hits me. I grew up with three brothers.",
        "My partner strangled me. It has been like this for years, since ten years ago.",
        "My husband beats me and my first husband did too",
        "My husband beats me. He has never touched the kids.",
        "I've never said this out loud my wife beats me",
        "I don't know how to say this but I took an overdose on shift",
        "I burn myself. There, I've said it.",
        "Her lips are blue. Please answer.",
    ],
)
def test_what_stands_beside_it_explains_nothing(text: str):
    assert look(text).level.at_least(RiskLevel.HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "My dad beat me when I was a boy.",
        "My ex hit me. It was years ago.",
        "My ex hit me. He moved abroad and there is a restraining order.",
        "My dog swallowed some pills. The vet pumped her stomach.",
    ],
)
def test_what_points_back_at_it_explains_it(text: str):
    assert not look(text).routes


@pytest.mark.parametrize(
    "text",
    [
        "I've been saving up pills to overdose lol",
        "I hit my child and I can't stop lol",
        "I cut myself again last night haha",
        "I am standing on the ledge lol",
    ],
)
def test_a_laugh_makes_no_joke_of_an_act_of_one_s_own_or_of_a_child_s_harm(text: str):
    assert look(text).level.at_least(RiskLevel.HIGH)
    assert not look("I could kill my brother, he ate my crisps lol").routes


@pytest.mark.parametrize(
    ("danger", "calm"),
    [
        ("他拿刀切着菜就冲我来了", "他拿刀切西瓜，孩子都抢着吃"),
        ("他拿刀切我手指", "他拿水果刀削苹果给我吃"),
        ("我爸说要砍了我埋在树下", "我爸说要砍了院子里那棵树"),
        ("饭里好像被下了药", "难吃得像下了毒"),
        ("我割了自己一下才清醒", "我掐了自己一下，以为是做梦"),
        ("他又动手弄我", "他又动手修马桶"),
        ("家里就剩我和妹妹，妈妈走了五天", "家里只有我和妹妹，作业我教她"),
        ("我一直问自己是不是不想活了", "医生问我是不是想自杀"),
        ("他要不要去自杀", "他不会自杀"),
        ("早上分手了，他昨晚打我", "团战的时候我把他砍死了"),
        ("我又自残了，骗老师说是切苹果切到的", "切苹果切到手指了"),
        ("早上切苹果。我又自残了", "早上切苹果"),
        ("坐在栏杆外看星星，脚悬空着", "坐在阳台看星星"),
        ("我走了你们会更好，记得接孩子放学", "我早点走，去接孩子放学"),
        ("爸又动手修理我，皮带抽的", "爸又动手修理电视"),
        ("家里只剩我和妹妹，方便面吃完了", "家里只有我和妹妹，我们看电视"),
    ],
)
def test_the_same_chinese_words_are_told_apart(danger: str, calm: str):
    assert look(danger).routes
    assert not look(calm).routes


@pytest.mark.parametrize(
    ("danger", "calm"),
    [
        ("They put a chip in my neck to track me", "I have something in my eye"),
        ("My neighbours are poisoning my food", "It was food poisoning, the doctor said"),
        ("I tried to hang myself last night", "I tried to hang the curtains last night"),
        ("I'm standing on the roof and I can't see why not", "I'm standing on the roof fixing it"),
        ("I'm on the roof and I see the lights", "I'm on the roof painting the gutters"),
        ("My dad beats us at bath time", "My dad beats us at monopoly"),
        ("His face dropped when he woke up", "His face dropped when he saw the bill"),
        (
            "I feel like banging my head against the wall until it bleeds",
            "I feel like banging my head against the wall with this printer",
        ),
    ],
)
def test_the_same_words_are_told_apart_by_what_they_are_about(danger: str, calm: str):
    assert look(danger).routes
    assert not look(calm).routes
