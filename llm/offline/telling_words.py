"""Classes of words by which telling is known from talk of the moment, in both languages.

No list holds what may be said or what is remembered: each class is one sign among many, weighed in
`telling_weights.json`. `STEMS` compares stems, so one form of a word stands for all; `FORMS` compares words as they are
written (lower case, е for ё), where the form itself tells ("сижу" is now, "сидел" was once).
"""

from __future__ import annotations

from typing import Final

from llm.text import stem

_STEMS: Final[dict[str, str]] = {
    # Signs of something told.
    "kin": """
        mother mum mom mama dad father parents son daughter sister brother husband wife partner girlfriend boyfriend
        fiance aunt uncle cousin grandma grandmother grandpa grandfather grandson granddaughter niece nephew twins
        family widow widower stepson hubby kid kids baby toddler
        мама папа отец мать родители сын дочь дочка дочери сестра брат муж жена тетя дядя бабушка дедушка дед внук
        внучка свекровь свекор теща зять невестка племянник племянница двоюродный семья ребенок дети детей малыш
        близнецы жених невеста вдова вдовец
    """,
    "role": """
        boss manager chief doctor dentist surgeon physiotherapist teacher tutor coach mentor supervisor neighbour
        neighbor landlord landlady tenant colleague friend flatmate roommate client customer nurse plumber lawyer
        solicitor accountant electrician builder consultant therapist director team committee council
        начальник начальница шеф врач доктор стоматолог хирург учитель учительница преподаватель тренер наставник
        научрук руководитель сосед соседка хозяйка квартирант коллега друг подруга клиент заказчик медсестра сантехник
        юрист адвокат бухгалтер электрик прораб бригадир директор команда комитет приятель знакомый
    """,
    "measure": """
        pound euro dollar quid grand pence cent percent kilo kilogram gram litre liter metre meter mile kilometre inch
        hour year month week size square
        рубль евро доллар копейка тысяча миллион процент кило килограмм грамм литр метр километр сантиметр год лет
        месяц неделя сутки размер штука
    """,
    "number": """
        two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty sixty
        seventy eighty ninety hundred thousand million half third quarter twice thrice dozen couple second fourth
        два две двух три трех четыре пять шесть семь восемь девять десять одиннадцать двенадцать пятнадцать двадцать
        тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто двести триста пятьсот тысяча полтора
        половина треть четверть двое трое четверо пятеро дважды трижды второй третий четвертый пятый шестой седьмой
    """,
    "calendar": """
        monday tuesday wednesday thursday friday saturday sunday january february april june july august september
        october november december weekend spring summer autumn winter christmas easter tomorrow yesterday birthday
        anniversary holiday season term noon midnight
        понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье январь февраль март апрель
        май мая июнь июль август сентябрь октябрь ноябрь декабрь выходные весной летом осенью зимой рождество пасха
        завтра послезавтра вчера позавчера годовщина отпуск каникулы сезон семестр полдень полночь число
    """,
    "life": """
        flower seed tomato crop harvest vegetable tree orchard plot work job live born married marry wedding divorce
        pregnant die died funeral school university college course class lesson exam diploma degree thesis project
        house flat apartment office company firm factory shop store business contract lease rent loan mortgage
        insurance pension salary wage budget price cost fee bill debt bank account savings hospital clinic operation
        surgery diagnosis medicine tablet pill treatment pressure allergy allergic diet vegetarian vegan trip flight
        ticket passport visa hotel car driving licence address email deadline meeting interview appointment
        application offer member team church language instrument repair kitchen room roof cellar garden greenhouse
        boat puppy retire retirement research
        цветок цветы рассада помидор огурец урожай грядка яблоня работа работать работаю жить живу живет живем
        родиться родился женат замужем свадьба развод беременна умер умерла похороны школа университет институт
        колледж курс курсы урок экзамен диплом диссертация проект квартира контора компания фирма завод магазин бизнес
        договор аренда кредит ипотека страховка пенсия зарплата бюджет цена стоимость счет банк больница клиника
        операция диагноз лекарство таблетка лечение давление аллергия диета вегетарианец вегетарианка поездка рейс
        билет паспорт виза гостиница машина права адрес почта срок дедлайн совещание встреча собеседование запись
        заявка предложение язык инструмент ремонт кухня комната крыша подвал дача участок теплица лодка собака кошка
        щенок пенсионер репетиция концерт группа хор
    """,
    "decide": """
        decide decided choose chose chosen agree agreed promise sign signed accept accepted refuse refused cancel
        cancelled canceled change changed moved postpone postponed quit stopped started begin began begun join joined
        book booked order ordered buy bought sell sold hire hired fired apply applied resign appoint arrange settled
        picked swap swapped switch replace replaced register enrol enrolled
        решить решил решила решили выбрать выбрал выбрала выбрали договорились согласился согласилась обещать обещал
        обещала подписать подписал подписала принял приняла отказался отказалась отказались отказали отменить отменил
        отменили отменяется поменял поменяла перенести перенесли передумал передумала бросил бросила перестал
        перестала начать начал начала начали вступил записался записалась заказать заказал заказала купить купил
        купила купили продать продал продала продали нанял наняла уволился уволилась уволили переехать переехал
        переехала переезжаем переезжаю назначить назначили заменил сменил оформил оформила снять снял сняла устроился
        устроилась
    """,
    "want": """
        want plan planning goal aim target dream intend saving ideal ambition aspire
        хочу хотим хотел хотела хотелось план планирую планируем надеюсь цель мечта мечтаю намерен намерена собираюсь
        собираемся коплю копим стремлюсь задумал задумала
    """,
    "prefer": """
        prefer favourite favorite hate dislike enjoy fond scared afraid fear phobia rather detest loathe adore keen
        sooner suit suits
        предпочитаю люблю любит любим обожаю ненавижу нравится нравятся любимый терпеть переношу боюсь боится
        предпочитает удобнее ближе лучше
    """,
    "must": """
        must allowed forbidden forbid banned ban rule limit maximum minimum require required only never without
        obliged shall condition strict unless except avoid
        должен должна должны нельзя запретить запретил запретила запрет правило ограничение предел максимум минимум
        обязан обязана только никогда без условие строго кроме разрешили разрешил разрешила велел велела придется
    """,
    "habit": """
        next last forever permanent always usually often every each since longer anymore still regularly daily weekly
        monthly normally ago formerly used instead once whenever mostly generally
        следующий прошлый последний насовсем навсегда всегда обычно часто каждый каждая каждое каждую постоянно
        регулярно ежедневно раньше прежде вместо назад давно больше теперь снова обычный редко иногда
    """,
    "event": """
        pass passed fail failed win won lose lost found pay paid got gave take took bring brought told call called ask
        asked sent wrote meet met visit visited broke broken left arrive arrived return learn learnt learned teach
        taught build built plant planted opened close closed paint finish finished receive received offer invite
        invited name named measure grow grew cut leak leaks flood
        сдать сдал сдала сдали завалил завалила выиграл выиграла проиграл потерял потеряла нашел нашла нашли заплатил
        заплатила получил получила получили дал дала дали взял взяла взяли привез привезла принес сказал сказала
        сказали позвонил позвонила спросил спросила попросил попросила прислал прислала написал написала встретил
        встретила познакомился познакомилась сломал сломала сломался сломалась уехал уехала приехал приехала вернулся
        вернулась построил посадил посадила открыл открыли закрыл закрыли покрасил закончил закончила предложил
        предложила предложили пригласил пригласили назвал назвали зовут называется вырос выросла оказалось выяснилось
        протекает течет
    """,
    "turning": """
        resign fired redundant quit sacked promoted retire engaged married marry divorce divorced split dumped
        pregnant expecting born birth died dead passed failed graduate graduated defended adopt adopted bought sold
        won enrolled diagnosed discharged evicted approved granted rejected refused elected broke insured deal hired
        appointed baptised moved relocate emigrate join joined owe owed sober
        развожусь развелся развелась расстались расстался рассталась женюсь женился замуж помолвлены помолвка
        поженились беременна родила родился родилась родили умер умерла поступил поступила сдал сдала завалил завалила
        защитилась защитился уволился уволилась уволили сократили повысили взяли приняли купил купили купила продал
        продала продали переехал переезжаем переезжаю переехала съехались съехать усыновили одобрили отказали
        согласилась согласился согласились выиграл выиграла окончила окончил бросил бросила подписал подписала удалила
        удалил похудел похудела развод внесли внес поженимся выписали выздоровел вырос выросла вырастила сорвалась
        сорвалось выплатила выплатили сделка страховая повредил повредила сломал сломала сорвал порвал
    """,
    "pursuit": """
        collect fix repair drive teach coach train sell bake knit sew learn study paint grow breed sing swim cycle
        volunteer translate edit design rent commute lead attend seek search save practise rehearse perform compete
        own raise brew hunt fish restore
        собираю чиню вожу преподаю тренирую продаю торгую пеку вяжу шью играю учу учусь рисую выращиваю развожу ищу
        ищем плаваю бегаю веду хожу посещаю снимаю снимаем держу держим сдаю нужен нужна нужно нужны экономлю
        занимаюсь репетируем тренируюсь перевожу готовлюсь готовим ношу принимаю пользуюсь читаю живу
    """,
    "health": """
        allergic allergy asthma diabetes diabetic insulin migraine palpitations cataract dyslexic dyslexia deaf blind
        wheelchair pregnant arthritis gluten lactose dairy nuts peanut pork sugar alcohol salt spicy vegan vegetarian
        vegetables antibiotics chemo biopsy blood liver kidney lung surgery physio therapist therapy depression
        depressed anxiety bronchitis pneumonia appendicitis flu fever stroke cancer tumour insomnia fracture broken
        injury wound cast stitches pills doctor tonsil vaccine implant disease illness
        аллергия аллергик астма диабет инсулин мигрень катаракта дислексия глухой слуховой дальтоник коляске инвалид
        беременность артрит глютен лактоза молочное орехи арахис свинина мясо сахар алкоголь соль острое веган
        веганство антибиотики химия биопсия снимок анализ почки легкие сердце перелом травма шов гипс таблетки
        депрессия бронхит пневмония аппендицит грипп температура инсульт инфаркт рак опухоль бессонница болезнь
        заболел заболела вакцина прививка диагноз операция давление лекарства врач психотерапевт вегетарианец
    """,
    "identity": """
        native citizen religion catholic muslim jewish orthodox colour-blind widow retired engineer nurse teacher
        driver accountant programmer carpenter farmer baker cook chef student librarian tailor treasurer chairman
        volunteer half-sister half-brother stepfather godmother height age old tall name surname
        родом гражданин православный мусульманин левша вдова пенсионер инженер медсестра водитель программист столяр
        фермер пекарь повар студент студентка библиотекарь казначей председатель волонтер сводный рост возраст имя
        фамилия отчество паспорт крестная
    """,
    "instruct": """
        use suggest recommend explain metric shorter longer example examples instead note format list avoid include
        prefer address
        учти учтите запомни запомните имей отвечай отвечайте объясняй объясняйте предлагай предлагайте зови зовите
        называй называйте используй примеры короче подробнее
    """,
    # Signs of talk of the moment.
    "writing": """
        type typing text texting message chat chatter story news talk ramble rant moan whine vent listen hear hello
        greet greeting keyboard typo spelling screen letter line note report update reply answer word say speak
        confess entry diary
        пишу печатаю строчу допишу дописать болтать болтаю рассказываю рассказать расскажу рассказ новость новости
        слушать слушай слушайте сообщение клавиатура клавиша опечатка опечатки экран буква говорить говорю поговорить
        докладываю отчитываюсь жаловаться жалуюсь ныть ною ворчу ворчать записывайте весть вести болтовня трещу
        сказать молчу умолкаю
    """,
    "body": """
        head leg foot feet eye hand finger nose back neck arm knee toe throat voice breath brain tummy stomach sore
        ache hurt yawn sneeze cough sweat shiver shaking numb stiff itch hoarse dizzy
        зевнул зевнула вздремнул чихнул потянулся потянулась голова нога ноги глаз глаза рука руки палец пальцы нос
        спина шея плечо колено горло голос мозг живот ухо уши болит ноет гудит гудят ломит зеваю чихаю кашляю дрожат
        слипаются хриплю шатает знобит трясет
    """,
    "home": """
        apron oven dough batter crust scarf blanket cushion armchair kettle tea coffee cup mug cocoa soup sandwich
        toast biscuit cookie cake chocolate snack dinner lunch breakfast supper bath shower bed sofa couch pillow nap
        sleep pyjamas slippers sock jumper cardigan fridge dishes washing laundry iron ironing pan pot stove plate
        crumb doorbell door phone battery charger table chair porridge potato potatoes bun stew noodles spoon fork
        saucepan hob microwave tap sink bucket hoover mop socks dressing gown robe candle fireplace crisps jam honey
        milk juice toddy doze snooze hungry thirsty wine beer walk walkies pizza pie kitchen towel bin
        чайник чай чаю кофе чашка кружка какао суп бутерброд печенье пирожок пирог торт шоколад шоколадка перекус ужин
        обед завтрак ванна душ кровать диван подушка плед одеяло спать сон вздремнуть пижама тапки тапочки носки
        свитер холодильник духовка плита посуда стирка стиралка утюг кастрюля сковорода тарелка крошки дверь телефон
        зарядка стол стул котлета каша картошка салат блин вино пиво прогулка гулять компот борщ мусор полотенце чайку
        кофейку молоко мед булочка печенька чипсы макароны ложка вилка кран раковина тазик ведро веник пылесос свеча
        камин халат перекусить подремать поспать поесть жую жевать глотаю тесто пирожное мармелад
    """,
    "weather": """
        weather rain drizzle shower snow sun sunny sunshine wind windy cloud fog mist cold freezing frost hot heat
        warm chilly storm thunder humid grey gloomy sky dark sunset sunrise puddle slush
        погода дождь ливень моросит снег снежок метель солнце солнышко ветер туман пасмурно холод холодно мороз жара
        жарко тепло прохладно сыро слякоть гроза гром душно духота небо темно темнеет светло закат рассвет лужа минус
        плюс градусник
    """,
    "mood": """
        tired sleepy exhausted knackered drained shattered wrecked happy sad bored excited glad proud relieved upset
        annoyed nervous worried lonely overwhelmed grumpy cross mood cheerful cosy comfy lazy silly dizzy insufferable
        smile smiling grin laugh laughing cry giggle hum humming purr sigh blush awake drowsy restless dreadful
        устал устала усталость сонный сонная вымотан вымотался вымоталась выжат измучен счастлив счастлива грустно
        грусть весело весел скучно скука тоска тоскливо рад рада радость доволен довольна злой зла злюсь нервничаю
        волнуюсь волноваться тревожно одиноко настроение лень ленивый уют уютно улыбаюсь улыбка смеюсь смешно хохочу
        плачу рыдаю пою мурлычу вздыхаю краснею взбодрился дулся дулась соскучился соскучилась стыдно сил отпустило
        выспался выспалась легче благодать отлежался
    """,
    "leave": """
        goodnight cheerio ciao farewell adieu bye goodbye leave off run dash rush hurry stop enough done pause later
        soon peace break hang wait back over
        бывай бывайте чао счастливо прощайте спокойной доброй ночи заканчиваю сворачиваюсь пока прощаюсь прощай бегу
        побежал побежала убегаю пойду пошел пошла ухожу иду ушел ушла пора стоп хватит конец отбой закругляюсь потом
        позже скоро перерыв подожди подождите погодите лечу мчусь поехали
    """,
    "thanks": """
        thank thanks cheers ta grateful appreciate kind bless sorry apologies apologise pardon forgive excuse marvel
        star gem angel legend lifesaver helpful patience patient welcome
        спасибо благодарю благодарен благодарна признателен извини извините прости простите пардон чудо золото умница
        молодец прелесть выручил выручаешь терпение терпите помог помогла любезны
    """,
    "noise": """
        woken wakes waking napping fetch calls calling waves waved nudging staring stares purring arrived beckons boil
        hiss beep bubble ring knock bark howl hoover drill flicker hum buzz whistle rattle snore meow miaow whine
        creak crackle click honk hammer bang noise row quiet silence silent hush
        спит уснул уснула заснул заснула проснулся проснулась спят зовут зовет звонит торопит ждет ждут пришел пришла
        встречать забирать кормить выгуливать укладывать кипит закипел закипит шипит пищит пискнула булькает стучат
        стучит лает воет сверлят мигает жужжит свистит храпит мяукает скрипит трещит щелкает сигналит гремит грохот
        шум шумят тишина тихо звенит прозвенел орут орет
    """,
    "fuss": """
        brief briefly short quick pause gap hidden obliged chores exist corner doodle wrong sense sigh aloud thought
        rant charming lovely bliss heaven nothing worse circus chaos mess bedlam madness nonsense rubbish moaning
        drama dramas excitement adventure fuss hassle trouble luck fingers crossed mercy medal miracle joke joking
        secret bet guess imagine picture pretend believe judge mind wonder surprise continued nuisance pest idiot fool
        silly badger pig bee monster spare regret deserve survive survived cope human grown-up sulk sulking
        insufferable
        коротко короткий накопилось доложить поворчу поворчать пауза запись записать планерка созвон перекур привал
        затишье дремота спрашивай спрашивайте начнем точка скукота смертная передышка занавес позволения проехали
        намертво вычеркнуть прелестно блаженство рай беда морока прогноз мысли мысль вслух понесло занесло бедлам хаос
        дурдом бардак чепуха глупость ерунда драма приключение суета хлопоты удача кулак кулаки повезло медаль чудо
        шутка шучу секрет представь представьте угадай угадайте поверите поверишь верите верится осуждай осуждайте
        сюрприз продолжение зануда дурак дурень дурочка мышь белка барсук муха тряпка лимон труп выжил пережил
        пережили дотянул дотянула капитан доклад отчет ура победа вздохнул выдохнул выдыхаю поволноваться околесица
        каюсь зовет ужинать обедать связь карман
    """,
    "slang": """
        typical fancy somehow chin anyway whatever nope lol lmao rofl brb gn ttyl thx ty omg rn tbh cba idk ikr sry
        sooo soo hiii yay nah yep meh zzz bruh haha wow
        ладненько короче чмок типа ничоси тук лол ахаха хаха спс пок споки прив щас сорян капец пипец жиза ыыы норм
        ваще приветики чмоки здарова ладн кек
    """,
    "surroundings": """
        window screen sill pavement bench porch armchair corridor queue bus tram taxi seat lift stairs traffic lights
        gate platform airport lunch shift desk corner radio telly pigeon bird fireworks moon star outside indoors
        street puddle pram bag suitcase rucksack boots shoes socks wet soaked muddy dust smell smells
        окно окном лавочка лавка крыльцо кресло коридор очередь электричка маршрутка автобус трамвай такси пробка лифт
        лестница светофор шлагбаум перрон стол угол радио телевизор кот пес голубь салют луна улица двор сумка чемодан
        рюкзак сапоги ботинки мокрый мокрая грязный пахнет остыл остывает оттаиваю вагон переезд кабина подъезд гараж
    """,
    "opinion": """
        good nice lovely amazing awesome cool fantastic wonderful brilliant excellent incredible interesting fun funny
        sweet beautiful gorgeous terrible awful horrible bad crazy weird strange hilarious boring scary rough pity
        shame perfect superb unbelievable delightful impressive impressed embarrassing circus nonsense ridiculous
        хорошо отлично здорово круто классно прекрасно замечательно чудесно ужасно ужас кошмар плохо жаль жалко обидно
        смешной забавно интересно красиво красота мило приятно странно удивительно невероятно потрясающе супер класс
        цирк чепуха глупость неловко дурацкий
    """,
}

_FORMS: Final[dict[str, str]] = {
    "i": """
        i i'm i've i'll i'd im ive
        я мне меня мной
    """,
    "mine": """
        my mine our ours
        мой моя мое мои моего моей моему моем моим моими моих мою наш наша наше наши нашего нашей нашем нашему нашим
        наших нашу свой своя свое свою своей своего
    """,
    "we": """
        we we're we've we'll we'd us
        мы нам нас нами
    """,
    "third": """
        he she they he's she's they're they've him her his hers their them
        он она они его ее их ему ей им
    """,
    "you": """
        you you're you've you'd you'll your yours u ya
        ты тебя тебе тобой вы вас вам вами твой твоя твое ваш ваша
    """,
    "now": """
        finally awake now today tonight just already here there this still right moment minute minutes second seconds
        currently yet awhile
        минута минуте полчаса наконец-то наконец дома сейчас щас сегодня уже еще тут здесь вот пока только минутку
        минуту минут минуты минутка секунду секундочку этом сию прямо опять снова
    """,
    "exclaiming": """
        oh ah ugh phew wow ha haha hmm ooh oops argh gosh god goodness heavens lord lol omg brr yay eh hey well so
        right okay ok anyway such what how there
        ой ох ах эх ух уф ого ха хм мда фу брр ну вот ладно так итак боже господи блин черт капец ура мамочки эй ау
        все
    """,
    "tone": """
        really very terribly awfully absolutely completely totally honestly rather bit quite too much
        очень ужасно страшно совсем прямо честно просто какой какая какое такой такая такое вообще что-то как-то
    """,
    "doing_now": """
        sitting lying standing waiting writing typing walking driving riding eating drinking yawning freezing looking
        listening smiling hiding watching reading sipping munching warming chewing whispering rocking perched curled
        tucked huddled snuggled shivering stirring cooling humming chilling relaxing lounging recovering steaming
        resting stuck wrapped
        сел села сядьте присядьте присел присела уселся уселась лег легла встал встала сижу лежу стою жду пишу печатаю
        иду еду пью ем жую мерзну мокну смотрю слушаю сплю улыбаюсь дрожу грею греюсь варю режу мою глажу зеваю
        отмываю отогреваюсь перевариваю бормочу прячусь торчу бреду качу отдыхаю лечу шепчу качаю кручусь валяюсь
        скучаю прыгаю ползу дышу сохну дремлю кутаюсь мурчу обнимаю кланяюсь хожу завернулась свернулась спряталась
        сдаюсь удаляюсь ворочаюсь любуюсь сидим лежим стоим ждем едем идем пьем
    """,
    "soon": """
        пойду побегу сяду лягу полезу схожу налью заварю допишу вернусь загляну зайду напишу поем посплю попью отвечу
        закрою открою расскажу побуду умолкаю
    """,
    "standing": """
        badly left-handed writes told tells hearing scan meat looked keeps moved moving leaving started stopped picked
        opened found gave sent got
        больнице больницу больница дом дому домом доме долг долга долги рана сотня
    """,
    "not": """
        not no don't doesn't didn't can't cannot won't isn't aren't wasn't haven't hasn't never nothing nobody
        не нет ни ничего никто никогда нельзя
    """,
    "linking": """
        because since but though although which who whose that if while whereas unless therefore
        потому поэтому чтобы который которая которое которые которого которой где когда если хотя зато а но пока из-за
    """,
    "future": """
        will shall going gonna i'll we'll she'll he'll they'll won't
        буду будем будет будут
    """,
    "past_be": """
        was were had been did
        был была было были
    """,
    "place": """
        in at from into near behind above on under across between along
        в на из под над у около вдоль через к за
    """,
}


def _by_word(groups: dict[str, str], *, stemmed: bool) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, text in groups.items():
        for word in text.split():
            read = stem(word) if stemmed else word
            if name not in found.setdefault(read, []):
                found[read].append(name)
    return {word: tuple(names) for word, names in found.items()}


STEMS: Final = _by_word(_STEMS, stemmed=True)
"""Stem → the classes that it belongs to."""
FORMS: Final = _by_word(_FORMS, stemmed=False)
"""Word, lower case and with е for ё → the classes that it belongs to."""
TOLD: Final = frozenset(
    """
    kin role measure number calendar life decide want prefer must habit event turning health identity instruct pursuit
    standing
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
"""Classes that speak for something told."""
PASSING: Final = frozenset(
    "noise fuss slang surroundings writing body home weather mood leave thanks opinion".split()  # noqa: SIM905
)
"""Classes that speak for talk of the moment."""
