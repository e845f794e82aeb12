"""A fact in one language stays within reach when many passages in another join the index."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from index import Encoder
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.index import Index
from index.update import add

FACT = Article(
    id="bridge",
    title="Ellerby Bridge opens next month",
    text="The new Ellerby Bridge over the River Hull will open to traffic on 4 June, the Hull Crossings Trust said.",
    language="en",
    published=date(2024, 5, 20),
    published_from="metadata",
)
QUESTIONS = {
    "en": "When will the Ellerby Bridge open to traffic?",
    "id": "Kapan Jembatan Ellerby di Hull dibuka untuk lalu lintas?",
    "ar": "متى يفتتح جسر إليربي فوق نهر هال أمام حركة المرور؟",
}
PLACES = (
    "成都 西安 武汉 长沙 南京 杭州 苏州 宁波 温州 福州 厦门 泉州 南昌 赣州 广州 深圳 珠海 "
    "佛山 南宁 桂林 海口 三亚 昆明 大理 贵阳 遵义 重庆 绵阳 乐山 兰州 西宁 银川 太原 大同 "
    "郑州 洛阳 开封 济南 青岛 烟台 石家庄 保定 天津 沈阳 大连 长春 吉林 哈尔滨 合肥 芜湖"
).split()
STORIES = (
    "{place}新建的{name}大桥将于{day}通车，全长{number}米，预计每天有{count}辆车通过。",
    "{place}{name}地铁站{day}恢复运营，此前因渗水停运了{count}小时。",
    "{place}市{name}医院{day}启用新门诊楼，共有床位{number}张。",
    "{place}{name}小学的{number}名学生{day}参加了植树活动，种下{count}棵树苗。",
    "{place}{name}博物馆{day}展出{number}件青铜器，首日接待观众{count}人次。",
    "{place}{day}遭遇暴雨，{name}街道{number}户居民被转移安置。",
    "{place}{name}渔港{day}开海，{number}艘渔船出海，当天捕鱼{count}吨。",
    "{place}至{name}的高速铁路{day}开始试运行，最高时速{number}公里。",
    "{place}{name}图书馆{day}开馆，藏书{count}万册，座位{number}个。",
    "{place}{name}队{day}在主场以{count}比一获胜，现场有{number}名球迷。",
    "{place}{name}工厂{day}投产，年产电动车{number}万辆，新增岗位{count}个。",
    "{place}警方{day}在{name}小区破获一起盗窃案，追回手机{number}部。",
    "{place}{name}大学{day}公布招生计划，今年招收{number}名新生。",
    "{place}{name}公园{day}免费开放，园内有樱花{number}株。",
    "{place}{day}举行马拉松，{number}人从{name}广场起跑，{count}人完成全程。",
    "{place}{name}水库{day}开闸放水，蓄水量降至{number}万立方米。",
    "{place}{name}夜市{day}重新开张，{count}个摊位提供小吃。",
    "{place}机场{day}开通飞往{name}的航线，每周{count}班，票价{number}元起。",
    "{place}{name}剧院{day}首演新编话剧，门票{number}张全部售完。",
    "{place}{name}村{day}收获柑橘{number}吨，村民人均增收{count}元。",
)
NAMES = "锦屏 望江 白鹭 青石 东湖 南浦 云岭 金沙 红枫 石桥 玉泉 长乐 新港 松林 凤鸣 碧溪 安定 北辰 桃源 柳河".split()


def chinese_news() -> list[Article]:
    """1,000 short articles, none like another: 20 kinds of story in 50 places."""
    articles = []
    for place_number, place in enumerate(PLACES):
        for story_number, story in enumerate(STORIES):
            number = 20 * place_number + story_number
            day = date(2024, 1, 1) + timedelta(days=number % 140)
            text = story.format(
                place=place,
                name=NAMES[(place_number + 7 * story_number) % len(NAMES)],
                day=f"{day.month}月{day.day}日",
                number=101 + 7 * number,
                count=2 + 3 * place_number + story_number,
            )
            articles.append(
                Article(
                    id=f"zh-{number}", title=place, text=text, language="zh",
                    published=day, published_from="metadata",
                )
            )  # fmt: skip
    return articles


@pytest.mark.models
def test_chinese_articles_hide_no_english_fact_from_questions_in_other_languages(
    tmp_path: Path, encoder: Encoder
) -> None:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index"))
    news = chinese_news()
    assert len(news) == len({article.text for article in news}) == 1000
    add([FACT, *news[:10]], folder=settings.index.path, settings=settings, encoder=encoder)
    with Index(settings.index.path, settings, encoder) as index:
        for joined in (0, 990):
            if joined:
                index.add(news[10:])
            assert len(index) == 11 + joined
            for language, question in QUESTIONS.items():
                assert index.search(question)[0].article.id == "bridge", (language, joined)
