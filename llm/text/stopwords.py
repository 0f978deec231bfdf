"""Function words of both languages, lower-cased, without apostrophes' tails and with ё written as е."""

from __future__ import annotations

ENGLISH = frozenset(
    """
    a about above after again against all also am an and any anybody anyone anything are aren as at be because been
    before being below between both but by can cannot could couldn did didn do does doesn doing don down during each
    either else etc even ever every everybody everyone everything few for from further get gets getting go goes going
    gonna got gotten had hadn has hasn have haven having he her here hers herself him himself his how however i if in
    into is isn it its itself just let lets ll ma may maybe me might more most much must mustn my myself need needn
    neither no nobody none nor not nothing now of off oh on once one only onto or other others our ours ourselves out
    over own per perhaps please quite rather re really s same shall shan she should shouldn since so some somebody
    someone something still such t than that the their theirs them themselves then there these they this those though
    through to too toward towards under until up upon us ve very via was wasn we well were weren what whatever when
    whenever where wherever whether which while who whoever whom whose why will with within without won would wouldn
    yes yet you your yours yourself yourselves
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

RUSSIAN = frozenset(
    """
    а без более больше будем будет будете будешь буду будут будто бы был была были было быть в вам вами вас ваш ваша
    ваше вашего вашей вашем вашему ваши ваших вашу ведь весь во вообще вон вот впрочем все всегда всего всей всем всеми
    всему всех всею всю вся вы где да даже для до другая другие другим других другое другой другом его ее ей ему
    если есть еще ею ж же за зачем здесь и из или им ими иногда их к каждая каждое каждый как какая какие каким каких
    какого какое какой каком какому какую ко когда кого кое кем ком кому конечно которая которого которое которой
    котором которому которую которые который которым которых кто куда ли либо лишь лучше меж между меня мне много мной
    мною мог могла могли могу могут может можно мой мои моим моими моих мое моего моей моем моему моею мою моя мы на
    над надо наконец нам нами нас наш наша наше нашего нашей нашем нашему наши наших нашу не него нее ней нельзя нем
    нему несколько нет нею ни нибудь никогда ним ними них ничего но ну нужно о об однако он она они оно от откуда
    ото очень перед по под пожалуйста пока после потом потому почему почти при про просто пусть раз разве с сам сама
    сами само самого самой саму свой своего своей своем своему свои своим своими своих свое свою своя себе себя со
    собой совсем также так такая такие таким таких такого такое такой том тому такую там тебе тебя тем теми тех то
    тобой тобою тогда того тоже той только тот тою ту тут ты те та у уж уже хорошо хотя чего чей чем через что
    чтоб чтобы чуть сейчас теперь сколько насколько чье чья эта эти этим этими этих это этого этой этом этому этот эту я
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

ALL = ENGLISH | RUSSIAN
