"""Set phrases of small talk in both languages: one regular expression a line, in plain spelling (' and е).

`{START}` and `{END}` stand where the phrase must begin or end a clause, so that it does not eat a part of a statement
("Have a good day", but "I have a dog"). Nothing repeats without an upper bound: a word said a thousand times must
not cost a second.
"""

# ruff: noqa: E501 - a phrase broken over two lines cannot be read

from __future__ import annotations

GREETINGS = r"""
    how are (?:you|things)(?: (?:doing|going|today|all|both)){0,4}
    how(?:'s| is) (?:it going|everything|life|your day(?: going)?)
    what'?s (?:up|new)
    (?:nice|good|great|lovely|glad|happy|pleased) to (?:meet|see|hear from|talk to|chat with) you(?: again| too)?
    good (?:morning|afternoon|evening|night|day)
    (?:morning|afternoon|evening)(?: (?:all|everyone|there|again))?{END}
    long time no see
    (?:(?:it'?s|it is|just|only|here) ){0,4}me(?: here)?(?: (?:once )?(?:again|more)){1,4}
    (?:(?:i'?m|i am) )?(?:back|here)(?: here)?(?: once)? (?:again|more)
    (?:(?:i'?m|i am) )?(?:just )?(?:checking in|popping in|dropping by|saying (?:hi|hello))
    (?:(?:i'?ve|i have) )?(?:got )?(?:some|a few|a couple of|a bit of) (?:news|updates)(?: for you)?{END}
    (?:i )?hope (?:you(?:'re| are)|all is|everything is) (?:all )?(?:well|good|okay|fine|doing well|doing great)
    как (?:у (?:тебя|вас) )?(?:дела|жизнь|настроение|день)
    как (?:ты|вы|поживаешь|поживаете|сам|сама)(?: там)?{END}
    что (?:у (?:тебя|вас) )?нового
    (?:доброе|доброго) (?:утро|утра)
    (?:добр\w+|хорош\w+) (?:день|дня|вечер|вечера|ночи|утра|выходных|недели)
    спокойной ночи
    (?:(?:еще раз|снова|опять) )?(?:привет|приветствую|здравствуйте|здравствуй)(?: (?:снова|опять|еще раз))?
    (?:это )?(?:снова|опять) я(?: (?:тут|здесь|на связи))?{END}
    я (?:снова|опять) (?:тут|здесь|на связи|с (?:тобой|вами)){END}
    (?:я )?(?:на|заглянул\w* на|забежал\w* на) (?:минутку|минуту|секунду|пару слов){END}
    (?:у меня )?есть (?:(?:пара|немного|несколько|кое-какие) )?новост[иейь]+{END}
    давно не (?:виделись|слышались|общались|списывались|болтали)
    рада? (?:знакомству|(?:тебя|вас) (?:видеть|слышать))
    (?:как|очень) приятно(?: познакомиться)?
    (?:are you )?(?:still )?(?:there|awake|around)(?= ?\?)
    (?:just )?wanted to (?:say (?:hi|hello)|check in|chat|talk|vent)
    (?:let'?s|shall we) (?:continue|start|begin|go on|get started|talk|chat)(?: again)?{END}
    (?:by the way|guess what|listen|one more thing|another thing|(?:(?:i have )?(?:a |one more |another )?(?:quick |small )?question))(?: for you)?{END}
    ты (?:тут|здесь|на связи|не спишь){END}
    (?:давай(?:те)? |ну что,? )?(?:продолжим|начнем|поговорим|поболтаем){END}
    (?:слушай|послушай|знаешь|кстати|представляешь|представь|итак|ну что)(?: (?:что|себе))?{END}
    (?:просто )?(?:хотела?|захотелось|хочется) (?:поздороваться|поболтать|поговорить|выговориться|поделиться){END}
    (?:у меня )?(?:(?:есть|еще) ){0,4}(?:один )?(?:маленький |короткий )?вопрос{END}
"""
PARTINGS = r"""
    see you(?: (?:later|soon|tomorrow|then|again|around|next time))?
    (?:talk|speak|chat|write)(?: to you)? (?:again )?(?:later|soon|then|tomorrow)
    catch you later
    (?:until|till) (?:next time|then|later|tomorrow|soon)
    (?:bye|goodbye)(?: bye)?(?: for now)?
    take (?:care|it easy)
    {START}(?:have an?|enjoy (?:the|your)(?: rest of (?:the|your))?)(?: (?:very|really|nice|good|great|lovely|wonderful)){0,4} \w+{END}
    {START}enjoy (?:it|yourself|yourselves){END}
    {START}sleep (?:well|tight){END}
    (?:that'?s|that is|that was|this is|that will be|that'?ll be) (?:all|it|enough|everything)(?: from me)?(?: for)?(?: (?:now|today|tonight|the moment))?
    (?:i'?ll|i will) (?:be back|write|come back|check in)(?: again)?(?: (?:soon|later|tomorrow|then))?{END}
    (?:(?:i'?ve|i have|i) )?(?:got to|gotta|have to|must|need to|should|better) (?:go|run|dash|leave|be going|be off)(?: now| soon)?{END}
    (?:i'?m|i am|i'?ll be|must be) off(?: now| to bed)?{END}
    good luck(?: to you| with (?:that|it|everything))?
    (?:all the best|best wishes|warm regards|kind regards|cheers)
    до (?:свидания|встречи|завтра|связи|скорого|скорой встречи|следующего раза|вечера|утра|новых встреч)
    (?:ну )?(?:вот )?(?:и )?(?:все|все пока|достаточно)(?: на (?:сегодня|этом|сейчас))?{END}
    на (?:этом|сегодня|сейчас|пока) (?:все|хватит|достаточно)
    (?:я )?(?:пойду|побежал|побежала|побегу|убегаю|бегу|пошел|пошла)(?: (?:спать|я|уже|тогда)){0,4}{END}
    мне (?:уже )?пора(?: (?:бежать|идти|спать))?
    (?:увидимся|созвонимся|спишемся|услышимся)(?: (?:позже|завтра|скоро))?
    (?:еще |потом |позже |завтра ){0,4}(?:напишу|загляну|зайду|вернусь)(?: (?:еще|потом|позже|завтра|снова)){0,4}{END}
    всего (?:доброго|хорошего|наилучшего)
    {START}(?:хорошего|приятного|отличного|удачного|удачной|хорошей|хороших) (?:вам |тебе )?\w+{END}
    береги(?:те)? себя
    (?:удачи|пока-пока|обнимаю|целую)
    (?:i'?ll )?(?:keep (?:you|ya) (?:posted|updated)|let you know(?: how it goes)?|tell you (?:later|more later))
    (?:stay (?:safe|tuned)|see ya|later|lucky you|have fun{END})
    (?:буду держать (?:тебя |вас )?в курсе|(?:потом|позже) расскажу|расскажу (?:потом|позже))
"""
POLITENESS = r"""
    thank(?:s| you)(?: so much| very much| again)? for (?:(?:the|your|all your|all the|that|this|it|everything|listening|asking|helping|sharing|reminding me|being there|caring)\b ?){1,4}(?:(?:kind|great|good) )?(?:\w+)?{END}
    (?:many |big )?(?:thank you|thanks|thx)(?: (?:so|very|ever so) much| a (?:lot|bunch|million)| again| once more| anyway| too){0,4}
    (?:(?:i|i really|really|much|we) )?appreciated?(?: (?:it|that|this|your (?:help|support|time|kindness|advice)))?{END}
    you'?re (?:(?:so|very|most|too) )?(?:welcome|right|kind|sweet|funny|the best|a star)
    (?:no|not a) (?:problem|worries|bother|big deal)
    (?:i'?m |i am )?(?:so |very |really )?sorry(?: again)?{END}
    (?:i'?m |i am )?(?:so |very |really )?sorry (?:for|about) (?:that|this|all (?:this|that|of (?:this|that))|(?:the )?(?:delay|trouble|rambling|mess|confusion|late reply|long message|bother|spam)|bothering you){END}
    (?:excuse me|my bad|pardon(?: me)?|forgive me)
    (?:never ?mind|fair enough|of course|by all means|no rush|anyway|anyways|oh well|fingers crossed|touch wood)
    (?:огромное |большое |тебе |вам ){0,4}спасибо(?: (?:тебе|вам|большое|огромное|еще раз|заранее|и на этом)){0,4}(?: за (?:все|это|помощь|совет|советы|ответ|поддержку|внимание|заботу|напоминание|информацию|подсказку|терпение))?
    (?:очень )?благодар(?:ю|им|на|ен)(?: (?:тебя|вас))?(?: за (?:все|это|помощь|совет|ответ|поддержку|внимание|терпение))?
    (?:извини|извините|прости|простите|прошу прощения)(?: (?:меня|еще раз|пожалуйста)){0,4}(?: за (?:беспокойство|сумбур|задержку|опоздание|многословие|это))?{END}
    (?:не за что|ничего страшного|не страшно|не переживай|не переживайте|без проблем|не беда|пустяки)
    (?:ты|вы) (?:(?:совершенно|абсолютно|очень) ){0,4}(?:прав|права|правы|добр|добра|добры)
    (?:nice|great|good|lovely|awesome) (?:talking|chatting|speaking|catching up|seeing|hearing)(?: (?:to|with|from))?(?: you)?(?: again)?{END}
    (?:(?:it'?s|it is|it was) )?(?:so |really |always )?(?:nice|good|easy|great|lovely) to (?:talk|chat|speak)(?: (?:to|with) (?:you|someone))?{END}
    your (?:kind |great |good )?(?:help|support|advice|words|answers?|reply|encouragement|feedback|company|patience|time|memory)
    (?:you(?:'re| are|'ve been)? )?(?:(?:a|an|such a|so|the|very|really) ){0,4}(?:lifesaver|great help|good listener|great listener|big help|helpful){END}
    you (?:rock|helped(?: me)?(?: a lot)?|remember (?:everything|it all|so much|that))
    (?:i )?owe you(?: one)?
    ты (?:мне |меня |очень |так |всегда |правда ){0,4}(?:помог|помогла|помогаешь|выручил|выручила|выручаешь|умница|молодец|золото|все помнишь)
    с (?:тобой|вами) (?:так |очень |всегда )?(?:легко|приятно|хорошо|интересно) (?:говорить|общаться|разговаривать|болтать)
    (?:приятно|хорошо|рада?|здорово) (?:было )?(?:поговорить|пообщаться|поболтать|поговорили|пообщались|поболтали)(?: с (?:тобой|вами))?
    (?:хорошо|здорово|приятно|рада?),? что (?:ты|вы) (?:(?:все|это|меня|у меня) ){0,4}(?:есть|рядом|помнишь|помните|запоминаешь|слушаешь)
    у (?:тебя|вас) (?:такая )?(?:хорош|отличн|прекрасн)\w+ память
"""
ASSENTS = r"""
    (?:got it|i see|sounds (?:good|great|like a plan)|makes sense|good to (?:know|hear)|will do|that helps(?: a lot| me)?)
    (?:i )?(?:guess|hope|think|suppose|believe|know|bet|agree|understand)(?: (?:so|not|it|that|too|completely|what you mean)){0,4}{END}
    (?:good|great|nice|well|excellent|lovely) (?:job|work|idea|point|question|one|try|choice|news|call|to know)(?: there)?{END}
    (?:well done|congrats|congratulations|way to go|go for it|keep it up|hang in there|same here|me too|for sure)
    what a (?:lovely |nice |great |long |terrible )?(?:day|week|relief|pity|shame|surprise|mess|joy|story|night){END}
    (?:так и есть|вот это да|ничего себе|надо же|ну и ну|ну да|ну ладно|вот так|вот как|вот оно что|еще бы|само собой)
    (?:хорош|отличн|прекрасн|интересн|замечательн|дельн|неплох)\w+ (?:идея|мысль|вопрос|новость|новости|совет){END}
    (?:буду знать|буду иметь в виду|так держать|поздравляю|я тоже|и я|мне тоже|это точно|как скажешь|как скажете)
    какой (?:хороший |чудесный |ужасный |длинный )?(?:день|вечер|кошмар|ужас){END}
    (?:sure thing|no way|can'?t wait|whoa|woohoo|keep me posted|looking forward to (?:it|that)|time (?:flies|will tell)|long story)
    (?:i'?ll |let me )?(?:think about (?:it|that)|think|keep (?:that|it) in mind|sleep on it){END}
    (?:(?:just|i|i'?m|i was|had to|needed to|got to|to|good to|glad to) ){0,4}(?:thinking (?:aloud|out loud)|vent(?:ing)?|get (?:it|that|this) off my chest|got (?:it|that|this) off my chest)
    (?:finally|already|at last) (?:mon|tues|wednes|thurs|fri|satur|sun)day{END}
    (?:mon|tues|wednes|thurs|fri|satur|sun)day (?:again|already|at last|finally){END}
    (?:не может быть|жду не дождусь|время (?:летит|покажет)|как (?:быстро )?летит время|(?:дай |надо |нужно )?подума(?:ю|ть)(?: (?:об|над) этим)?{END})
    (?:мысли вслух|просто мысли|(?:мне |сразу |уже |как-то ){0,4}(?:стало )?(?:легче|полегчало)(?: стало)?{END}|выговорил(?:ся|ась){END}|(?:нет|совсем нет) сил{END}|сил (?:совсем )?нет{END})
    (?:наконец-то|опять|снова|уже) (?:понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|выходные){END}
    (?:как|вот|так) (?:здорово|хорошо|жаль|жалко|обидно|приятно|красиво|мило){END}
"""
