"""The demo clinic's own texts in German, by the English ones."""

GERMAN = {
    "Looks after whole families, from the first cold to old age.": (
        "Begleitet ganze Familien, von der ersten Erkältung bis ins Alter."
    ),
    "Knows what travellers need, and why people sleep badly.": (
        "Weiß, was Reisende brauchen und warum man schlecht schläft."
    ),
    "Take the 1 train to 96th Street. The entrance has a ramp; parking is behind the house.": (
        "Fahren Sie mit der Linie 1 bis 96th Street. Der Eingang hat eine Rampe; parken können Sie hinter dem Haus."
    ),
    "Follow-up visit": "Kontrolltermin",
    "A short visit about something we already know: results, a prescription, how a treatment is going.": (
        "Ein kurzer Termin zu etwas, das wir schon kennen: Befunde, ein Rezept, der Verlauf einer Behandlung."
    ),
    "Bring your medicines, or a list of them, and any results from other doctors.": (
        "Bringen Sie Ihre Medikamente oder eine Liste davon mit und die Befunde anderer Ärzte."
    ),
    "New patient visit": "Ersttermin",
    "Your first visit with a doctor: time to get to know you, your history and what brings you here.": (
        "Ihr erster Termin: Zeit, um Sie, Ihre Vorgeschichte und Ihr Anliegen kennenzulernen."
    ),
    "Bring a photo ID, your insurance card and a list of your medicines."
    " Please come ten minutes early, so that we can set up your record.": (
        "Bringen Sie einen Ausweis mit Foto, Ihre Versichertenkarte und eine Liste Ihrer Medikamente mit."
        " Bitte kommen Sie zehn Minuten früher, damit wir Ihre Akte anlegen können."
    ),
    "Exam room 1, New York": "Behandlungsraum 1, New York",
    "Imaging room 1": "Bildgebung, Raum 1",
    "Imaging room 2": "Bildgebung, Raum 2",
    "Exam room 1, Los Angeles": "Behandlungsraum 1, Los Angeles",
    "Exam room 2, Los Angeles": "Behandlungsraum 2, Los Angeles",
    "Ultrasound scanner": "Ultraschallgerät",
    "Ultrasound": "Ultraschall",
    "An abdominal ultrasound. It does not hurt, and needs an empty stomach.": (
        "Ein Ultraschall des Bauchs. Er tut nicht weh, und Sie sollten nüchtern sein."
    ),
    "Eat nothing for six hours before the visit, and drink only water."
    " Take your medicines as usual, with a sip of water. Wear something that opens at the waist.": (
        "Essen Sie sechs Stunden vor dem Termin nichts, und trinken Sie nur Wasser."
        " Nehmen Sie Ihre Medikamente wie immer, mit einem Schluck Wasser."
        " Tragen Sie Kleidung, die sich am Bund öffnen lässt."
    ),
    "Video visit": "Videotermin",
    "See a doctor from home, some nights too. Any phone or computer with a camera will do.": (
        "Ärztliche Beratung zu Hause, manchmal auch nachts. Ein Handy oder Computer mit Kamera genügt."
    ),
    "Find a quiet place with good light, and a good connection."
    " The page of your visit has the link to the video room; it opens ten minutes before the start.": (
        "Suchen Sie sich einen ruhigen Ort mit gutem Licht und guter Verbindung."
        " Die Seite Ihres Termins hat den Link zum Videoraum; er öffnet zehn Minuten vor Beginn."
    ),
    "Back care class": "Rückenkurs",
    "Exercises for a stronger back, in a group of up to eight.": (
        "Übungen für einen starken Rücken, in einer Gruppe von bis zu acht Personen."
    ),
    "Wear something comfortable and bring a towel. Please do not eat a large meal just before.": (
        "Tragen Sie bequeme Kleidung, und bringen Sie ein Handtuch mit. Bitte essen Sie kurz vorher nicht viel."
    ),
    "Travel health visit": "Reiseberatung",
    "Vaccinations and advice for your journey. Come at least four weeks before you leave.": (
        "Impfungen und Rat für Ihre Reise. Kommen Sie mindestens vier Wochen vor der Abreise."
    ),
    "Bring your vaccination record, if you have one, and your travel plan.": (
        "Bringen Sie Ihren Impfpass mit, wenn Sie einen haben, und Ihren Reiseplan."
    ),
    "Diabetes check": "Diabetes-Kontrolle",
    "The regular check with the people who look after your diabetes.": (
        "Die regelmäßige Kontrolle bei den Menschen, die Ihren Diabetes betreuen."
    ),
    "Eat and take your medicines as usual. Bring your meter, or your notes of the last two weeks.": (
        "Essen Sie wie immer, und nehmen Sie Ihre Medikamente."
        " Bringen Sie Ihr Messgerät mit oder Ihre Aufzeichnungen der letzten zwei Wochen."
    ),
    "Physiotherapy": "Physiotherapie",
    "One to one, for joints, back and shoulders, and after operations.": (
        "Einzeln, für Gelenke, Rücken und Schultern und nach Operationen."
    ),
    "Wear something you can move in. Bring the referral and pictures, if you have any.": (
        "Tragen Sie Kleidung, in der Sie sich bewegen können."
        " Bringen Sie die Überweisung und Bilder mit, wenn Sie welche haben."
    ),
    "Sleep consultation": "Schlafsprechstunde",
    "If you sleep badly, snore, or are tired all day. A few questions come first.": (
        "Wenn Sie schlecht schlafen, schnarchen oder den ganzen Tag müde sind. Vorher stellen wir einige Fragen."
    ),
    "Note for a week when you went to bed, fell asleep and woke up, and bring your notes.": (
        "Notieren Sie eine Woche lang, wann Sie ins Bett gehen, einschlafen und aufwachen,"
        " und bringen Sie die Notizen mit."
    ),
    "Minor skin surgery": "Kleine Hautoperation",
    "Taking away a mole or a cyst, under local anaesthetic. Your doctor refers you to us.": (
        "Ein Muttermal oder eine Zyste wird unter örtlicher Betäubung entfernt. Ihr Arzt überweist Sie zu uns."
    ),
    "Tell us if you take blood thinners. Eat as usual. Do not plan sports for the week after.": (
        "Sagen Sie uns, wenn Sie Blutverdünner nehmen. Essen Sie wie immer."
        " Planen Sie für die Woche danach keinen Sport."
    ),
    "COVID-19 vaccine": "COVID-19-Impfung",
    "The vaccine of this season.": "Der Impfstoff dieser Saison.",
    "Bring your vaccination record, if you have one. Wear something with short sleeves.": (
        "Bringen Sie Ihren Impfpass mit, wenn Sie einen haben. Tragen Sie etwas mit kurzen Ärmeln."
    ),
    "Riverside Clinic New York": "Riverside-Klinik New York",
    "Riverside Clinic Los Angeles": "Riverside-Klinik Los Angeles",
    "Before your travel health visit": "Vor Ihrer Reiseberatung",
    "How you are today": "Wie es Ihnen heute geht",
    "Have you had a fever after a journey in the last four weeks?": (
        "Hatten Sie in den letzten vier Wochen nach einer Reise Fieber?"
    ),
    "No": "Nein",
    "Yes, but it is over": "Ja, aber es ist vorbei",
    "Yes, and I have it now": "Ja, und ich habe es jetzt",
    "Your journey": "Ihre Reise",
    "Which countries will you visit?": "Welche Länder besuchen Sie?",
    "When do you leave?": "Wann reisen Sie ab?",
    "When do you come back?": "Wann kommen Sie zurück?",
    "Why are you travelling?": "Warum reisen Sie?",
    "Holiday": "Urlaub",
    "Visiting family or friends": "Besuch bei Familie oder Freunden",
    "Work or study": "Arbeit oder Studium",
    "Pilgrimage": "Pilgerfahrt",
    "Will you spend nights outside cities or hotels?": "Übernachten Sie außerhalb von Städten oder Hotels?",
    "How high will you go, if into the mountains?": "Wie hoch hinauf gehen Sie, wenn Sie in die Berge reisen?",
    "Your travel plan, if you have one as a file": "Ihr Reiseplan, wenn Sie ihn als Datei haben",
    "Your health": "Ihre Gesundheit",
    "Are you allergic to anything?": "Haben Sie eine Allergie?",
    "To what, and what happens?": "Wogegen, und was geschieht dann?",
    "Medicine": "Medikament",
    "Which medicine do you take?": "Welches Medikament nehmen Sie?",
    "As it is written on the package. Leave it empty if you take none.": (
        "Wie es auf der Packung steht. Lassen Sie es leer, wenn Sie keins nehmen."
    ),
    "How many times a day?": "Wie oft am Tag?",
    "Are you pregnant, or could you be?": "Sind Sie schwanger, oder könnten Sie es sein?",
    "How much do you weigh?": "Wie viel wiegen Sie?",
    "Some doses depend on it.": "Manche Dosen hängen davon ab.",
    "Against which of these were you vaccinated in the last ten years?": (
        "Wogegen wurden Sie in den letzten zehn Jahren geimpft?"
    ),
    "Hepatitis A": "Hepatitis A",
    "Hepatitis B": "Hepatitis B",
    "Tetanus": "Tetanus",
    "Typhoid": "Typhus",
    "Yellow fever": "Gelbfieber",
    "Rabies": "Tollwut",
    "When was the one against yellow fever?": "Wann war die Impfung gegen Gelbfieber?",
    "Is there anything else we should know?": "Gibt es noch etwas, das wir wissen sollten?",
    "About your sleep": "Über Ihren Schlaf",
    "How many hours do you sleep on most nights?": "Wie viele Stunden schlafen Sie in den meisten Nächten?",
    "Do you snore, as far as you know?": "Schnarchen Sie, soweit Sie wissen?",
    "How often do you doze off while you sit and read?": "Wie oft nicken Sie ein, wenn Sie sitzen und lesen?",
    "Never": "Nie",
    "Seldom": "Selten",
    "Often": "Oft",
    "Nearly always": "Fast immer",
    "Since when do you sleep badly?": "Seit wann schlafen Sie schlecht?",
}
